"""What is closed in a run's network namespace before the run is in it, in the words of the kernel's firewall; pure.

| a run reaches | because |
|---|---|
| what its pipeline lists, else everything | `network` in `pipeline.json` |
| but never the clouds' metadata, link-local addresses, its engine's machine, other runs | `entry/closing.sh` |
| nor what the runner closes | `FASTFLOW_RUN_NETWORK_CLOSED` |
| nor the addresses of the runner's machine, where the engine is on it | `adapters/docker/machine.py` |
| and of these what the runner opens | `FASTFLOW_RUN_NETWORK_OPEN` |
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from fastflow_events.aggregates.run.specification import Specification
from fastflow_rules.network import DNS, MAX_TARGETS, NoTargetError, Target, TooManyTargets, target
from msgspec import Struct, structs

from fastflow_runner.ports import NotClosedError

PRIVATE = "private"
"""In the setting: every network that is not of the internet."""
_PRIVATE = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "fc00::/7",
    "64:ff9b:1::/48",
)
CONDITION = (
    "ip6? daddr [0-9a-f:.]{2,43}+/[0-9]{1,3}+"
    r"(?: meta l4proto \{ tcp, udp \} th dport [1-9][0-9]{0,4}+(?:-[1-9][0-9]{0,4}+)?)?"
)
"""Regular expression of one condition of the firewall's, and of nothing that is more than one."""
MAX_ADDRESSES = 64
"""Of the engine's machine; more are left to what is different of its answers."""


def _several(most: int) -> str:
    return f"(?:{CONDITION}(?:;{CONDITION}){{0,{most - 1}}}+)?"


CONDITIONS = _several(MAX_TARGETS)
CLOSED_CONDITIONS = _several(MAX_TARGETS + MAX_ADDRESSES)
"""Those that the runner closes, and those of the engine's machine."""


class Closing(Struct, frozen=True, kw_only=True):
    """What is said to the one who closes a namespace; conditions have semicolons between them."""

    names: bool = True
    """Questions for names are answered."""
    opened: str = ""
    closed: str = ""
    listed: str = ""
    """Nothing else is reached; empty: no list."""


def usual(opened: str, closed: str) -> Closing:
    """For pipelines that say nothing about it, out of the runner's two settings.

    Raises:
        NoTargetError: a setting names no addresses.
    """
    return Closing(opened=_conditions(_split(opened)), closed=_conditions(_split(closed)))


def closing_of(specification: Specification, usual: Closing) -> Closing | None:
    """For one run; None is no network at all.

    Raises:
        NotClosedError: the specification lists what is no target.
    """
    match specification.network:
        case "internet":
            return usual
        case "none":
            return None
        case listed:
            try:
                targets = [target(text) for text in listed if text != DNS]
            except NoTargetError as exc:
                raise NotClosedError(f"its network is limited in words that this runner does not know: {exc}") from exc
            # A list of names alone is no list of nothing.
            return Closing(
                names=DNS in listed,
                opened=usual.opened,
                closed=usual.closed,
                listed=_conditions(targets) or condition(target("127.0.0.1")),
            )


def addresses_in(fib_trie: str, if_inet6: str) -> list[IPv4Address | IPv6Address]:
    """A machine's own addresses, out of the kernel's tables; loopback and link-local ones are closed anyhow."""
    words = re.findall(r"\|-- ([0-9.]+)(?:\n\s+/\d+ (?!host LOCAL)[^\n]*)*\n\s+/32 host LOCAL", fib_trie)
    six = (line.split()[0] for line in if_inet6.splitlines() if line.strip())
    found = {*map(ip_address, words), *(ip_address(bytes.fromhex(digits)) for digits in six)}
    reached = (one for one in found if not (one.is_loopback or one.is_link_local))
    return sorted(reached, key=lambda one: (one.version, one))


def closed_to(addresses: Sequence[IPv4Address | IPv6Address], closing: Closing) -> Closing:
    """The same, and these addresses closed as well; what is opened stays so."""
    families = {4: "ip", 6: "ip6"}
    own = [f"{families[one.version]} daddr {one}/{one.max_prefixlen}" for one in addresses[:MAX_ADDRESSES]]
    return structs.replace(closing, closed=";".join(filter(None, (closing.closed, *own))))


def condition(wanted: Target) -> str:
    """The target as a condition."""
    family = "ip" if wanted.addresses.version == 4 else "ip6"
    match = f"{family} daddr {wanted.addresses}"
    if wanted.ports is None:
        return match
    first, last = wanted.ports
    return f"{match} meta l4proto {{ tcp, udp }} th dport {first if first == last else f'{first}-{last}'}"


def _conditions(targets: Iterable[Target]) -> str:
    return ";".join(condition(wanted) for wanted in targets)


def _split(setting: str) -> list[Target]:
    words = [word.strip() for word in setting.split(",") if word.strip()]
    targets = [part for word in words for part in (_PRIVATE if word == PRIVATE else (word,))]
    if len(targets) > MAX_TARGETS:
        raise NoTargetError(TooManyTargets(MAX_TARGETS))
    return [target(word) for word in targets]

"""Where the runs of a pipeline may connect: in the words of `pipeline.json`, and in the form that all of them mean."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

from fastflow_events.message import Statement
from msgspec import Struct

DNS = "dns"
"""In a list: names may be looked up, too."""
MAX_TARGETS = 32
ALLOWED = '"10.0.0.0/8", "10.0.0.5:5432", "[2001:db8::/32]:443" or "dns"'
_IN_BRACKETS = re.compile(r"\[([0-9A-Fa-f:.]+(?:/[0-9]{1,3})?)\](?::([0-9]{1,5})(?:-([0-9]{1,5}))?)?")
_BARE_4 = re.compile(r"([0-9.]+(?:/[0-9]{1,2})?)(?::([0-9]{1,5})(?:-([0-9]{1,5}))?)?")
_BARE_6 = re.compile(r"([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:/[0-9]{1,3})?)")
_LAST_PORT = 65_535


class NoTarget(Statement, frozen=True, tag="network.no_target"):
    """Neither an address nor a network."""

    english = "an address or a network, with a port if need be, as in {examples}"
    examples: str


class FurtherBits(Statement, frozen=True, tag="network.further_bits"):
    """A network with something behind it."""

    english = "an address or a network whose further bits are 0, as in {examples}"
    examples: str


class NoPorts(Statement, frozen=True, tag="network.no_ports"):
    """Ports that there are not."""

    english = "ports from 1 to {last}, the smaller one first, as in {examples}"
    last: int
    examples: str


class TooManyTargets(Statement, frozen=True, tag="network.too_many_targets"):
    """More than a firewall is given."""

    english = "at most {most} targets"
    most: int


class NoTargetError(ValueError):
    """It names no addresses."""

    def __init__(self, statement: Statement) -> None:
        super().__init__(str(statement))
        self.statement = statement


class Target(Struct, frozen=True, kw_only=True):
    """Addresses, and the ports of TCP and UDP that are meant."""

    addresses: IPv4Network | IPv6Network
    ports: tuple[int, int] | None = None
    """First and last; None is every port, and what has no ports."""

    def __str__(self) -> str:
        shown = f"[{self.addresses}]" if self.addresses.version == 6 else str(self.addresses)
        if self.ports is None:
            return shown
        first, last = self.ports
        return f"{shown}:{first}" if first == last else f"{shown}:{first}-{last}"


def target(text: str) -> Target:
    """Read one.

    Raises:
        NoTargetError: it is none, or could mean another one.
    """
    bare = text.strip()
    match = _IN_BRACKETS.fullmatch(bare) or _BARE_4.fullmatch(bare) or _BARE_6.fullmatch(bare)
    if match is None or ("[" in bare and ":" not in match[1]):
        raise NoTargetError(NoTarget(ALLOWED))
    host, first, last = match[1], *(*match.groups()[1:], None, None)[:2]
    try:
        # Bits behind the network's own would be forgotten: whoever wrote them meant something else.
        addresses = ip_network(host)
    except ValueError as exc:
        raise NoTargetError(FurtherBits(ALLOWED)) from exc
    if first is None:
        return Target(addresses=addresses)
    ports = int(first), int(last or first)
    if not 1 <= ports[0] <= ports[1] <= _LAST_PORT:
        raise NoTargetError(NoPorts(_LAST_PORT, ALLOWED))
    return Target(addresses=addresses, ports=ports)

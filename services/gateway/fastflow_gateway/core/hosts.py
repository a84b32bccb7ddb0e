"""By which names a gateway answers; pure.

A page of another site can have its name resolve to this machine, and is then of "the same origin" for the browser.
It cannot change the name in `Host`. So a name counts only when somebody has said so; whatever a proxy says in other
headers does not count at all.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from fastflow_events.errors import SettingsError
from msgspec import Struct

_SAID = re.compile(r"(?:\[(?P<literal>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
KEPT = 64
"""Names that were looked at; nearly every request says the same."""
UNSPECIFIED = frozenset({"0.0.0.0", "::"})


class Host(Struct, frozen=True):
    """A name or an address, in one spelling, and the port that was said with it."""

    name: str
    port: int | None = None


def host_of(text: str) -> Host | None:
    """Read what stands in `Host`; None when that is no host."""
    match = _SAID.fullmatch(text)
    if match is None:
        return None
    name = (match["literal"] or match["name"]).lower().removesuffix(".")
    address = address_of(name)
    if match["literal"] and not isinstance(address, IPv6Address):
        return None
    return Host(str(address or name), int(match["port"]) if match["port"] else None)


@lru_cache(KEPT)
def address_of(name: str) -> IPv4Address | IPv6Address | None:
    """The address that a name is, without looking it up."""
    try:
        return ip_address(name)
    except ValueError:
        return None


def is_loopback(name: str) -> bool:
    """True for names and addresses that only this machine can reach."""
    address = address_of(name.strip("[]"))
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback if address else name == "localhost"


class Hosts(Struct, frozen=True, kw_only=True):
    """Everything a gateway is called, beside the names of loopback."""

    said: frozenset[Host] = frozenset()
    """An entry without a port is meant with any."""

    def answers_to(self, text: str) -> bool:
        """Whether what stands in `Host` is one of our names."""
        host = host_of(text)
        return host is not None and (is_loopback(host.name) or not self.said.isdisjoint({host, Host(host.name)}))


def hosts_of(allowed: str, *, listens_on: str) -> Hosts:
    """The names of `FASTFLOW_ALLOWED_HOSTS`, and the one it listens on.

    Raises:
        SettingsError: one of them is no host.
    """
    names = {Host(listens_on.strip("[]").lower())} if listens_on.strip("[]") not in UNSPECIFIED else set()
    for text in filter(None, (part.strip() for part in allowed.split(","))):
        host = host_of(f"[{text}]" if isinstance(address_of(text), IPv6Address) else text)
        if host is None:
            raise SettingsError(
                f"FASTFLOW_ALLOWED_HOSTS names {text!r}, which is no host; say it as browsers do, without http://: "
                "flow.example.org, flow.example.org:8443, 10.1.2.3"
            )
        names.add(host)
    return Hosts(said=frozenset(names))


def proxies_of(trusted: str) -> list[str]:
    """The addresses and networks of `FASTFLOW_TRUSTED_PROXIES`.

    Raises:
        SettingsError: one of them is neither; "all" cannot be said, for anybody would say who he is.
    """
    parts = [part.strip() for part in trusted.split(",") if part.strip()]
    for text in parts:
        try:
            ip_network(text)
        except ValueError as exc:
            raise SettingsError(
                f"FASTFLOW_TRUSTED_PROXIES names {text!r}, which is no address and no network: 10.0.0.7, 10.0.0.0/24"
            ) from exc
    return parts


def is_no_name(text: str) -> bool:
    """Whether `Host` is missing or an address, as in the probes of an orchestrator; no foreign page can send that."""
    host = host_of(text)
    return not text or (host is not None and address_of(host.name) is not None)

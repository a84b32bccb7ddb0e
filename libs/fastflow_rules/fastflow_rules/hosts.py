"""The name of a host in the one form that everybody looks up, whoever reads it; pure.

Resolvers, curl and Git read more than one form of a name, and not all the same: letters outside ASCII,
percent-encoding, numbers that mean an address. Here each host has one form only, so that what is looked up and judged
is what is connected to.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from fastflow_events.message import Statement

from fastflow_rules.remote_faults import AddressInFull, NoHost, NoHostName, TwoReadings

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DISPUTED = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")
"""Characters that two standards of international names turn into different names."""
MAX_NAME = 253


class NoHostError(ValueError):
    """It is no host, or could be more than one."""

    def __init__(self, statement: Statement) -> None:
        super().__init__(str(statement))
        self.statement = statement


def canonical(host: str) -> str:
    """Return the host in lower case and ASCII, without a dot at its end; an IPv6 address without its brackets.

    Raises:
        NoHostError: it is none, or not everybody would look up the same.
    """
    if ":" in host:
        return _address(host, IPv6Address)
    name = _ascii(host).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _address(name, IPv4Address)
    if len(name) > MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise NoHostError(NoHost())
    return name


def bracketed(host: str) -> str:
    """The host as it stands in an address."""
    return f"[{host}]" if ":" in host else host


def is_address(host: str) -> bool:
    """True when nobody has to look up a canonical host."""
    return ":" in host or bool(_NUMBER.fullmatch(host.rpartition(".")[2]))


def _ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    if _DISPUTED.intersection(host):
        raise NoHostError(TwoReadings())
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError as exc:
        raise NoHostError(NoHostName()) from exc


def _address(text: str, kind: type[IPv4Address] | type[IPv6Address]) -> str:
    try:
        if "%" not in text:
            return str(kind(text))
    except AddressValueError:
        pass
    raise NoHostError(AddressInFull())

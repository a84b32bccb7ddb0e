"""How a repository is reached: what Git is given to get in, where it may go, and what it may bring; pure."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_rules.remote import InvalidRemoteError, Remote, remote
from msgspec import Struct


class Access(Struct, frozen=True, kw_only=True):
    """What Git is given to get in, and where it may go. Never in a fact, never in a log line."""

    user: str = ""
    token_file: Path | None = None
    token: str = ""
    """Instead of a file; stays in memory and in the environment of Git's own processes."""
    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None
    trusted: bool = False
    """Whoever gave the address runs this machine; it is taken as it is."""
    files: bool = False
    """The address may be a folder of this machine."""
    private: bool = False
    """The address may be private."""
    redirects: bool = False
    any_commit: bool = False
    """What is given out may come from any branch, and not only from the watched one."""

    @property
    def follows(self) -> bool:
        """True when Git may go where a host sends it: nobody checks that address, so it may be private as well."""
        return self.redirects and (self.trusted or self.private)


class Watched(Struct, frozen=True, kw_only=True):
    """A repository of the environment."""

    configured: RepositoryConfigured
    access: Access


def is_private(address: str) -> bool:
    """True for what is not a public unicast address: loopback, private, link-local, shared, mapped, reserved."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped or ip.sixtofour if isinstance(ip, ipaddress.IPv6Address) else None
    if mapped is not None:
        return is_private(str(mapped))
    if isinstance(ip, ipaddress.IPv6Address) and ip in ipaddress.ip_network("64:ff9b::/96"):
        return is_private(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return not ip.is_global or ip.is_multicast


def why_not(place: Remote, access: Access, addresses: Sequence[str]) -> str | None:
    """Why the address may not be fetched from, or None; `addresses` is what its host resolves to."""
    if access.trusted:
        return None
    if place.protocol == "file":
        return None if access.files else "folders of this machine need FASTFLOW_GIT_ALLOW_FILES"
    if access.private:
        return None
    if any(is_private(address) for address in addresses):
        return f"{place.name} is at a private address; that needs FASTFLOW_GIT_ALLOW_PRIVATE"
    return None


def meant_for(listed: str) -> set[str]:
    """The addresses that a list names, one a line; what is none, and what follows `#`, is passed over."""
    found = set()
    for line in listed.splitlines():
        try:
            found |= {*remote(line.partition("#")[0].strip()).addresses[:1]}
        except InvalidRemoteError:
            continue
    return found


def may_go_to(listed: str, place: Remote) -> bool:
    """True when what is meant for the listed addresses, and what lies below them, may be used at this one."""
    return not meant_for(listed).isdisjoint(place.addresses)

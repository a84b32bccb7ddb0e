"""The addresses of this machine, where it is the one that the engine is on: no run reaches them, not even one way.

In a container of its own, or with an engine elsewhere, the runner cannot know them.
"""

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from urllib.parse import urlsplit

from fastflow_runner.core.closing import addresses_in

_NET = Path("/proc/net")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def addresses_beside(url: str) -> list[IPv4Address | IPv6Address]:
    """Those that it has now; none where the proxy at `url` is not on this machine."""
    place = urlsplit(url)
    if place.scheme != "unix" and place.hostname not in _LOOPBACK:
        return []
    return addresses_in(_read("fib_trie"), _read("if_inet6"))


def _read(name: str) -> str:
    try:
        return (_NET / name).read_text()
    except OSError:
        return ""

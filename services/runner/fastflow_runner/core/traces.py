"""What a network namespace tells of whoever used it, read out of the kernel's own tables; pure.

| it carries | and whoever used it |
|---|---|
| sockets: bound ports, TIME_WAIT, half-closed connections, abstract names | shows in the tables of sockets |
| the loopback device | shows in its counters |
| ARP entries, tracked connections, TCP metrics, path MTUs, firewall counters | has sent something to leave them |
| the kernel's counters of packets | shows in them |

What needs a capability (addresses, routes, firewall rules, kernel settings) no run can change.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

_SOCKETS = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "icmp", "icmp6", "unix", "packet")
_COUNTERS, _COUNTERS_6, _DEVICES = "snmp", "snmp6", "dev"
_TRACKED = "/proc/sys/net/netfilter/nf_conntrack_count"
FILES = (*(f"/proc/net/{name}" for name in (*_SOCKETS, _COUNTERS, _COUNTERS_6, _DEVICES)), _TRACKED)
"""What is read; a kernel need not have all of them."""
_CERTAIN = frozenset(f"/proc/net/{name}" for name in ("tcp", "udp", "unix", _COUNTERS, _DEVICES))
_RESOLVER = "0B00007F:"
"""127.0.0.11, where the engine itself answers questions about names, in every namespace that it makes."""
_WAITING = {"tcp": "0A", "udp": "07"}
_NOWHERE = "00000000:0000"


def is_unused(seen: str) -> bool:
    """True when nobody has used the namespace; `seen` are lines of `FILES`, each behind its file's path and a colon.

    False where that cannot be seen. What others sent into it does not count: they do so unasked.
    """
    files: dict[str, list[str]] = defaultdict(list)
    for line in seen.split("\n"):
        path, _, content = line.partition(":")
        files[path].append(content)
    try:
        return files.keys() >= _CERTAIN and _is_unused(files)
    except ValueError:
        return False


def _is_unused(files: Mapping[str, list[str]]) -> bool:
    tables = {path.rpartition("/")[2]: lines for path, lines in files.items()}
    return not (
        any(_has_sockets(name, tables.get(name, ())) for name in _SOCKETS)
        or any(int(count) for count in files.get(_TRACKED, ()))
        or _loopback_moved(tables[_DEVICES])
        or _has_sent(_numbers(tables[_COUNTERS]))
        or _has_sent_6(dict(_pairs(tables.get(_COUNTERS_6, ()))))
    )


def _has_sockets(name: str, lines: Iterable[str]) -> bool:
    rows = (line.split() for line in lines)
    return any(row and not _is_heading(row) and not _is_the_engines(name, row) for row in rows)


def _is_heading(row: list[str]) -> bool:
    return row[0] in {"sl", "Num", "sk"}


def _is_the_engines(name: str, row: list[str]) -> bool:
    """The resolver's own two sockets, which wait and belong to root."""
    if name not in _WAITING or len(row) < 8:
        return False
    return row[1].startswith(_RESOLVER) and row[2:4] == [_NOWHERE, _WAITING[name]] and row[7] == "0"


def _loopback_moved(lines: Iterable[str]) -> bool:
    for line in lines:
        name, _, counters = line.partition(":")
        if name.strip() == "lo":
            return any(int(count) for count in counters.split())
    return True


def _numbers(lines: list[str]) -> Mapping[str, int]:
    """Counters by name, of a file in which a line of names comes before a line of numbers."""
    found: dict[str, int] = {}
    for names, numbers in zip(lines[::2], lines[1::2], strict=False):
        (kind, *keys), (_, *counts) = names.split(), numbers.split()
        found |= {f"{kind}{key}": int(count) for key, count in zip(keys, counts, strict=False)}
    return found


def _has_sent(counters: Mapping[str, int]) -> bool:
    sent = [count for name, count in counters.items() if name.partition(":")[2].startswith(("Out", "ActiveOpens"))]
    return not sent or any(sent)


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, int]]:
    return ((name, int(count)) for name, count in (line.split(maxsplit=1) for line in lines))


def _has_sent_6(counters: Mapping[str, int]) -> bool:
    """The kernel itself tells neighbours and routers of every device: that is no use of it."""
    sent = counters.get("Ip6OutRequests", 0) > counters.get("Icmp6OutMsgs", 0)
    asked = ("Udp6OutDatagrams", "UdpLite6OutDatagrams", "Icmp6OutEchos")
    return sent or any(counters.get(name, 0) for name in asked)

import pytest
from fastflow_runner.core.traces import FILES, is_unused
from hypothesis import given
from hypothesis import strategies as st

IP = "Ip: Forwarding DefaultTTL InReceives OutRequests OutNoRoutes\nIp: 1 64 0 0 0"
TCP = "Tcp: RtoAlgorithm MaxConn ActiveOpens PassiveOpens InSegs OutSegs\nTcp: 1 -1 0 0 0 0"
UDP = "Udp: InDatagrams NoPorts OutDatagrams\nUdp: 0 0 0"
INET = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
RESOLVER_TCP = (
    "   0: 0B00007F:9E2F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 47563 1 0 100"
)
RESOLVER_UDP = " 26: 0B00007F:E645 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 47562 2 0"
LO = "    lo:       0       0    0    0    0     0          0         0        0       0    0"
ETH = "  eth0:    1042      11    0    0    0     0          0         0      266       4    0"
FRESH = {
    "tcp": f"{INET}\n{RESOLVER_TCP}",
    "tcp6": INET,
    "udp": f"{INET}\n{RESOLVER_UDP}",
    "raw": INET,
    "unix": "Num       RefCount Protocol Flags    Type St Inode Path",
    "packet": "sk               RefCnt Type Proto  Iface R Rmem   User   Inode",
    "snmp": f"{IP}\n{TCP}\n{UDP}",
    "snmp6": "Ip6InReceives \t5\nIp6OutRequests \t3\nIcmp6OutMsgs \t3\nUdp6OutDatagrams \t0",
    "dev": f"Inter-|   Receive\n face |bytes    packets\n{LO}\n{ETH}",
}
TRACKED = "/proc/sys/net/netfilter/nf_conntrack_count"
USED = {
    "a closed connection": (
        "tcp",
        "   1: 0100007F:1388 0100007F:B53A 06 0:0 03:00001750 00000000     0        0 0 3 0",
    ),
    "one that was refused by us": (
        "tcp",
        "   1: 0100007F:1388 00000000:0000 0A 0:0 00:00000000 00000000  1001        0 47563 1 0",
    ),
    "a closed one at the resolver's address": (
        "tcp",
        "   1: 0B00007F:0035 0100007F:B53A 06 0:0 03:00001750 00000000     0        0 0 3 0",
    ),
    "somebody else's port at the resolver's address": (
        "udp",
        "  26: 0B00007F:E645 00000000:0000 07 0:0 00:00000000 00000000  1001        0 47562 2 0",
    ),
    "a closed connection over IPv6": ("tcp6", "   1: 00000000:1388 00000000:B53A 06 0:0 0:0 0 0 0 0 3 0"),
    "a raw socket": ("raw", "   1: 00000000:0001 00000000:0000 07 0:0 00:00000000 00000000  1001        0 1 2 0 0"),
    "an abstract name": ("unix", "0000000000000000: 00000002 00000000 00010000 0001 01 47570 @fastflow"),
    "a socket for packets": ("packet", "0000000000000000 3      3    0003   2     1 0      0      20000"),
}
COUNTED = {
    "a packet": ("snmp", "Ip: 1 64 0 0 0", "Ip: 1 64 0 1 0"),
    "a packet that went nowhere": ("snmp", "Ip: 1 64 0 0 0", "Ip: 1 64 0 0 1"),
    "a connection": ("snmp", "Tcp: 1 -1 0 0 0 0", "Tcp: 1 -1 1 0 0 0"),
    "a datagram": ("snmp", "Udp: 0 0 0", "Udp: 0 0 1"),
    "a datagram over IPv6": ("snmp6", "Udp6OutDatagrams \t0", "Udp6OutDatagrams \t1"),
    "a packet over IPv6": ("snmp6", "Ip6OutRequests \t3", "Ip6OutRequests \t4"),
    "something on the loopback device": ("dev", "lo:       0       0", "lo:     572      10"),
}


def shown(**changed: str) -> str:
    return "\n".join(
        f"/proc/net/{name}:{line}" for name, text in (FRESH | changed).items() for line in text.split("\n")
    )


def test_a_fresh_namespace_is_unused_whatever_others_sent_into_it() -> None:
    assert is_unused(shown())
    assert is_unused(f"{shown()}\n{TRACKED}:0\n")
    assert is_unused(shown(snmp=FRESH["snmp"].replace("Ip: 1 64 0", "Ip: 1 64 7").replace("Udp: 0 0", "Udp: 0 7")))


@pytest.mark.parametrize("what", USED)
def test_whatever_stands_in_a_table_of_sockets_is_use(what: str) -> None:
    name, row = USED[what]
    assert not is_unused(shown(**{name: f"{FRESH[name]}\n{row}"}))


@pytest.mark.parametrize("what", COUNTED)
def test_whatever_was_sent_is_use_although_no_socket_is_left(what: str) -> None:
    name, before, after = COUNTED[what]
    assert before in FRESH[name]
    assert not is_unused(shown(**{name: FRESH[name].replace(before, after)}))


def test_a_connection_that_the_firewall_remembers_is_use() -> None:
    assert not is_unused(f"{shown()}\n{TRACKED}:4")


@pytest.mark.parametrize("missing", ["tcp", "udp", "unix", "snmp", "dev"])
def test_a_namespace_that_does_not_show_everything_is_not_believed_to_be_unused(missing: str) -> None:
    assert not is_unused(
        "\n".join(line for line in shown().split("\n") if not line.startswith(f"/proc/net/{missing}:"))
    )


@given(st.text(), st.integers(0, len(shown())))
def test_whatever_is_shown_is_judged(extra: str, at: int) -> None:
    seen = shown()
    assert is_unused(seen[:at] + extra + seen[at:]) in (True, False)


def test_every_table_that_is_judged_is_read() -> None:
    assert {f"/proc/net/{name}" for name in FRESH} < {*FILES}
    assert TRACKED in FILES

"""What `network` may list, and what the firewall is told for it."""

import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from fastflow_rules.definition import Definition, parse
from fastflow_rules.network import MAX_TARGETS, NoTargetError, Target, target
from fastflow_runner.adapters.docker.machine import addresses_beside
from fastflow_runner.core.closing import (
    CLOSED_CONDITIONS,
    CONDITION,
    CONDITIONS,
    Closing,
    addresses_in,
    closed_to,
    closing_of,
    condition,
    usual,
)
from fastflow_runner.ports import NotClosedError
from fastflow_runner.testing.builders import a_specification
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json, structs

NETWORKS = st.one_of(
    st.builds(lambda at, bits: ip_network((at, bits), strict=False), st.integers(0, 2**32 - 1), st.integers(0, 32)),
    st.builds(
        lambda at, bits: ip_network((at.to_bytes(16, "big"), bits), strict=False),
        st.integers(0, 2**128 - 1),
        st.integers(0, 128),
    ),
)
PORTS = st.none() | st.lists(st.integers(1, 65_535), min_size=2, max_size=2).map(lambda two: tuple(sorted(two)))
TARGETS = st.builds(Target, addresses=NETWORKS, ports=PORTS)


@given(TARGETS)
def test_every_target_is_read_as_it_is_written_and_is_one_condition(wanted: Target) -> None:
    assert target(str(wanted)) == wanted
    assert re.fullmatch(CONDITION, condition(wanted))


@given(st.text() | st.text("0123456789abcdef.:/[]- ;{}\n", max_size=45))
def test_whatever_is_said_it_is_one_target_or_none(text: str) -> None:
    with suppress(NoTargetError):
        found = target(text)
        assert target(str(found)) == found
        assert re.fullmatch(CONDITION, condition(found))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10.0.0.0/8", Target(addresses=IPv4Network("10.0.0.0/8"))),
        (" 10.0.0.5:5432 ", Target(addresses=IPv4Network("10.0.0.5/32"), ports=(5432, 5432))),
        ("10.0.0.0/24:1-65535", Target(addresses=IPv4Network("10.0.0.0/24"), ports=(1, 65_535))),
        ("2001:DB8::/32", Target(addresses=IPv6Network("2001:db8::/32"))),
        ("[2001:db8::1]:443", Target(addresses=IPv6Network("2001:db8::1/128"), ports=(443, 443))),
    ],
)
def test_an_address_is_a_network_of_one(text: str, meant: Target) -> None:
    assert target(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "example.org:443",
            "10.0.0.1/8",
            "10.0.0.1:0",
            "10.0.0.1:65536",
            "10.0.0.1:9-8",
            "10.0.0.1:",
            "010.0.0.1",
        ),
        *("10.0.0.1/33", "[10.0.0.1]:5", "2001:db8::/32:443x", "::1%eth0", "10.0.0.1/255.0.0.0", "10.0.0.1:1;accept"),
    ],
)
def test_what_could_mean_something_else_is_refused(text: str) -> None:
    with pytest.raises(NoTargetError):
        target(text)


@given(st.lists(TARGETS, max_size=MAX_TARGETS))
def test_a_setting_becomes_conditions_that_the_policy_knows(targets: list[Target]) -> None:
    found = ", ".join(map(str, targets))
    made = usual(found, found)
    assert made.opened == made.closed
    assert re.fullmatch(CONDITIONS, made.opened)


FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 4
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.99.1.0/31 1 0 0
        |-- 10.99.1.0
           /24 link UNICAST
        |-- 10.99.1.1
           /32 host LOCAL
     |-- 10.99.1.255
        /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.7
        /32 link UNICAST
        /32 host LOCAL
Local:
        |-- 10.99.1.1
           /32 host LOCAL
"""
IF_INET6 = """\
fe80000000000000e43f7ffffe8759b0 11 40 20 80      ln4
00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000002 04 40 00 82     eth0
"""


def test_the_addresses_of_the_engines_machine_are_closed_behind_what_is_opened() -> None:
    found = addresses_in(FIB_TRIE, IF_INET6)
    assert list(map(str, found)) == ["10.99.1.1", "192.0.2.7", "fd00::2"]
    made = closed_to(found, Closing(opened="ip daddr 10.99.1.1/32", closed="ip daddr 10.0.0.0/8"))
    assert made.opened == "ip daddr 10.99.1.1/32"
    assert made.closed == "ip daddr 10.0.0.0/8;ip daddr 10.99.1.1/32;ip daddr 192.0.2.7/32;ip6 daddr fd00::2/128"
    assert closed_to([], Closing()) == Closing()


@given(st.lists(TARGETS, max_size=MAX_TARGETS), st.lists(st.ip_addresses(), max_size=200))
def test_however_many_addresses_a_machine_has_the_policy_knows_what_is_said(
    targets: list[Target], addresses: list[IPv4Address | IPv6Address]
) -> None:
    made = closed_to(addresses, usual("", ",".join(map(str, targets))))
    assert re.fullmatch(CLOSED_CONDITIONS, made.closed)


def test_a_machine_says_nothing_of_itself_to_a_proxy_elsewhere() -> None:
    assert addresses_beside("tcp://docker-proxy:2375") == []
    assert addresses_beside("unix:///run/engine.sock") == addresses_beside("tcp://127.0.0.1:2375")


def test_a_setting_may_say_private() -> None:
    assert "ip daddr 10.0.0.0/8;" in usual("", "private,203.0.113.0/24").closed
    assert usual("", "") == Closing()
    with pytest.raises(NoTargetError):
        usual(",".join(["10.0.0.1"] * (MAX_TARGETS + 1)), "")


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("{}", "internet"),
        ('{"network": null}', "internet"),
        ('{"network": "Internet"}', "internet"),
        ('{"network": "none"}', "none"),
        ('{"network": ["10.0.0.5:5432", "10.0.0.5/32:5432", "dns"]}', ("10.0.0.5/32:5432", "dns")),
    ],
)
def test_a_pipeline_says_where_its_runs_may_connect(text: str, network: object) -> None:
    found = parse(text.encode(), folder="sales")
    assert isinstance(found, Definition)
    assert found.network == network


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("all", '$.network: found "all"; allowed: "none" or "internet" or a list of 1 to 32 targets'),
        ([], "$.network: found a list of 0; allowed"),
        (["10.0.0.1"] * 33, "$.network: found a list of 33; allowed"),
        (True, "$.network: found true; allowed"),
        (["10.0.0.5", "db:5432"], '$.network[1]: found "db:5432"; allowed: an address or a network'),
        (["10.0.0.5/8"], '$.network[0]: found "10.0.0.5/8"; allowed: an address or a network whose further bits are 0'),
        ([3], "$.network[0]: found 3; allowed: text"),
    ],
)
def test_what_is_no_network_is_named_with_its_place(value: object, words: str) -> None:
    found = parse(json.encode({"network": value}), folder="sales")
    assert isinstance(found, list)
    assert str(found[0]).startswith(words)


def test_a_run_is_closed_as_its_specification_says_and_never_more_open_than_all() -> None:
    base, all_ = a_specification("7" * 40), usual("10.0.0.1:1", "private")
    assert closing_of(base, all_) is all_
    assert closing_of(structs.replace(base, network="none"), all_) is None
    listed = closing_of(structs.replace(base, network=("10.0.0.5/32:5432",)), all_)
    assert listed is not None
    assert (listed.opened, listed.closed, listed.names) == (all_.opened, all_.closed, False)
    assert listed.listed == "ip daddr 10.0.0.5/32 meta l4proto { tcp, udp } th dport 5432"


def test_a_list_of_names_alone_is_no_list_of_everything() -> None:
    listed = closing_of(structs.replace(a_specification("7" * 40), network=("dns",)), Closing())
    assert listed is not None
    assert listed.names
    assert listed.listed


def test_a_list_in_words_of_another_release_closes_everything() -> None:
    with pytest.raises(NotClosedError):
        closing_of(structs.replace(a_specification("7" * 40), network=("host:db",)), Closing())

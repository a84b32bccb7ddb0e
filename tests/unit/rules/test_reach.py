"""What `network` may list, and what the firewall is told for it."""

import re
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from fastflow_rules.definition import Definition, parse
from fastflow_rules.network import MAX_TARGETS, NoTargetError, Target, target
from fastflow_runner.core.closing import CONDITION, CONDITIONS, Closing, closing_of, condition, usual
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

"""By which names the gateway answers: those of loopback, the one it listens on, and those that somebody named."""

import pytest
from fastflow_events.errors import SettingsError
from fastflow_gateway.core.hosts import host_of, hosts_of, is_no_name, proxies_of
from hypothesis import given
from hypothesis import strategies as st

NAMED = "flow.example.org, other.example:8443, 10.1.2.3, [2001:db8::7]:80, 2001:DB8::8"


def answers(host: str, *, allowed: str = NAMED, listens_on: str = "0.0.0.0") -> bool:
    return hosts_of(allowed, listens_on=listens_on).answers_to(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8000",
        "localhost.:8000",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.9.9.9:8000",
        "[::1]",
        "[::1]:8000",
        "[0:0:0:0:0:0:0:1]:8000",
        "[::ffff:127.0.0.1]:8000",
    ],
)
def test_names_of_loopback_are_ours_with_any_port(host: str) -> None:
    assert answers(host)
    assert answers(host, allowed="")


@pytest.mark.parametrize(
    "host",
    [
        "flow.example.org",
        "FLOW.example.ORG.:8443",
        "flow.example.org:1",
        "other.example:8443",
        "10.1.2.3:9",
        "[2001:db8::7]:80",
        "[2001:0db8:0::8]:5",
    ],
)
def test_names_that_somebody_named_are_ours(host: str) -> None:
    assert answers(host)
    assert not answers(host, allowed="")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "flow.example.org.evil.example",
        "evil-flow.example.org",
        "other.example",
        "other.example:8444",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost/evil.example",
        "localhost evil.example",
        "localhost, evil.example",
        "localhost\n",
        "localhost..",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0.0.0.0",
        "[::]",
        "[localhost]",
        "[127.0.0.1]",
        "::1",
        "10.1.2.4",
        "[2001:db8::7]:81",
        "*",
    ],
)
def test_all_others_are_not(host: str) -> None:
    assert not answers(host)


@given(st.text(max_size=40))
def test_whatever_comes_is_judged(host: str) -> None:
    answers(host)
    is_no_name(host)
    assert (found := host_of(host)) is None or "\n" not in found.name


def test_the_address_it_listens_on_is_a_name_of_its_own() -> None:
    assert answers("192.168.1.7:8000", allowed="", listens_on="192.168.1.7")
    assert answers("[fd00::1]:8000", allowed="", listens_on="fd00::1")
    assert not answers("192.168.1.7:8000", allowed="")


@pytest.mark.parametrize(
    "text", ["http://flow.example.org", "flow.example.org/path", "*", "*.example.org", "a b", "a:b"]
)
def test_a_setting_that_names_no_host_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="FASTFLOW_ALLOWED_HOSTS"):
        hosts_of(text, listens_on="127.0.0.1")


def test_probes_name_an_address_or_nothing() -> None:
    assert is_no_name("")
    assert is_no_name("10.244.1.9:8000")
    assert is_no_name("[fd00::1]:8000")
    assert not is_no_name("evil.example")


@pytest.mark.parametrize("text", ["*", "proxy.example", "10.0.0.7/33", "10.0.0.7/8", "10.0.0.7 10.0.0.8"])
def test_only_addresses_and_networks_can_be_trusted(text: str) -> None:
    with pytest.raises(SettingsError, match="FASTFLOW_TRUSTED_PROXIES"):
        proxies_of(text)
    assert proxies_of(" 10.0.0.7, ::1,10.0.0.0/24 ,") == ["10.0.0.7", "::1", "10.0.0.0/24"]

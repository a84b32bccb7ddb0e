"""Buckets of requests, over instants that the tests make up."""

import pytest
from fastflow_gateway.core.buckets import Bucket, Buckets, Rate, caller_of, take
from fastflow_gateway.http.etags import matches
from fastflow_gateway.http.limits import class_of
from hypothesis import given
from hypothesis import strategies as st

RATE = Rate(2.0, 3)


def test_a_burst_is_taken_at_once_and_comes_back_with_time() -> None:
    buckets = Buckets()
    assert [buckets.take("a", "any", RATE, 10.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b", "any", RATE, 10.0) == 0
    assert buckets.take("a", "hooks", RATE, 10.0) == 0
    assert buckets.take("a", "any", RATE, 10.5) == 0
    assert buckets.take("a", "any", RATE, 10.5) > 0


@given(st.lists(st.floats(0, 100), max_size=60), st.floats(0.1, 50), st.integers(1, 20))
def test_nobody_ever_gets_more_than_the_burst_and_what_time_brings(at: list[float], per_s: float, burst: int) -> None:
    rate, bucket, taken = Rate(per_s, burst), None, 0
    instants = sorted(at)
    for now in instants:
        bucket, after_s = take(bucket, rate, now)
        taken += after_s == 0
        assert 0 <= bucket.tokens <= burst
    if instants:
        assert taken <= burst + (instants[-1] - instants[0]) * per_s + 1e-6


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket, after_s = take(Bucket(0.0, 10.0), RATE, 5.0)
    assert (bucket.tokens, after_s) == (0.0, 0.5)


@given(st.lists(st.integers(0, 50), max_size=200))
def test_the_table_of_callers_is_bounded(callers: list[int]) -> None:
    buckets = Buckets(kept=10)
    for caller in callers:
        buckets.take(str(caller), "any", RATE, 0.0)
    assert len(buckets) <= 10


@pytest.mark.parametrize(
    ("host", "caller"),
    [
        ("127.0.0.1", "local"),
        ("::1", "local"),
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_a_caller_is_an_address_or_a_network(host: str, caller: str) -> None:
    assert caller_of(host) == caller


def test_routes_that_cost_others_something_have_their_own_buckets() -> None:
    assert class_of("203.0.113.9", "POST", "/api/sync/hooks/github") == "hooks"
    assert class_of("203.0.113.9", "POST", "/api/sync") == "sync"
    assert class_of("203.0.113.9", "GET", "/api/sync/plan") == "any"
    assert class_of("local", "POST", "/api/sync") == "local"


@pytest.mark.parametrize(
    ("known", "found"), [('"a"', True), ('W/"a"', True), ('"b", W/"a"', True), ("*", True), ('"b"', False), ("", False)]
)
def test_an_etag_is_found_among_those_that_are_known(known: str, found: bool) -> None:
    assert matches(known, 'W/"a"') is found

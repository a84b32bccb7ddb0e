"""Instants, positions and names as anybody may write them: read, or refused, and never a bug."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from fastflow_events.instants import FIRST, LAST
from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.names import must_be_name
from fastflow_gateway.http.cursors import LAST_POSITION, instant_of, position_of
from fastflow_gateway.http.request_checks import Kind, refuse_unknown
from hypothesis import example, given
from hypothesis import strategies as st

ENDS = [
    "0001-01-01T00:00:00+23:59",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999-23:59",
    "9999-12-31T24:00:00Z",
    "1969-12-31T23:59:59Z",
    "2026-02-30",
    "2026-01-31T08:00:00 02:00",
    "0.5",
    "1767225600",
    "",
]


def anything() -> st.SearchStrategy[str]:
    near = st.datetimes().map(datetime.isoformat)
    return near | st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{2,15}[Z+-]?[0-9:]{0,6}")


@given(anything())
@pytest.mark.parametrize("end", ENDS)
def test_an_instant_is_read_into_bounds_or_refused(end: str, text: str) -> None:
    for each in (end, text):
        try:
            at = instant_of("since", each)
        except InvalidParameterError:
            continue
        assert at is not None
        assert FIRST <= at <= LAST
        assert at.tzinfo is UTC


@pytest.mark.parametrize("number", ["0.5", "1767225600", "-1", "1e9", "Infinity", "NaN"])
def test_a_number_is_no_instant(number: str) -> None:
    with pytest.raises(InvalidParameterError):
        instant_of("until", number)


@given(st.integers() | st.text(max_size=30))
@example(LAST_POSITION)
@example(LAST_POSITION + 1)
@example(-1)
@example("٣")
@example("1_0")
@example(" 1")
def test_a_position_is_one_that_a_stream_can_have_or_refused(given_: int | str) -> None:
    try:
        position = position_of(str(given_))
    except InvalidParameterError:
        assert not (isinstance(given_, int) and 0 <= given_ <= LAST_POSITION)
    else:
        assert position is not None
        assert 0 <= position <= LAST_POSITION


@given(st.text(max_size=120))
@example("a\x00b")
@example("a\n")
@example("\u202egnp.exe")
@example("\u2066x")
@example(" ")
@example("x" * 101)
def test_a_name_holds_nothing_that_cannot_be_seen(name: str) -> None:
    try:
        must_be_name(name, "schedule")
    except InvalidParameterError:
        return
    assert 1 <= len(name) <= 100
    assert all(letter.isprintable() and not letter.isspace() for letter in name)


@given(st.binary(max_size=200))
def test_a_query_of_any_bytes_is_refused_or_known(query: bytes) -> None:
    with suppress(InvalidParameterError):
        refuse_unknown({"status": Kind(many=True, text=True), "limit": Kind(many=False, text=False)}, query)


@pytest.mark.parametrize("query", [b"limit=null", b"limit=1&limit=2", b"limits=1", b"x"])
def test_what_a_route_does_not_take_is_refused(query: bytes) -> None:
    with pytest.raises(InvalidParameterError):
        refuse_unknown({"status": Kind(many=True, text=True), "limit": Kind(many=False, text=False)}, query)


def test_what_may_be_given_repeatedly_may_be() -> None:
    refuse_unknown({"status": Kind(many=True, text=True)}, b"status=null&status=failed")

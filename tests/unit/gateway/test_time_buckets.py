"""Spans of a histogram hold every instant once, however far they reach and whenever clocks are changed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from fastflow_events.instants import FIRST, LAST, held
from fastflow_gateway.core.time_buckets import buckets
from fastflow_rules.schedules.zones import zone
from hypothesis import given
from hypothesis import strategies as st

BERLIN = zone("Europe/Berlin")
INSTANTS = st.datetimes(timezones=st.just(UTC)) | st.sampled_from([FIRST, LAST])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"]).map(zone)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_days_begin_at_local_midnight_also_when_clocks_are_changed() -> None:
    found = buckets(at("2026-03-28T12:00:00+00:00"), at("2026-03-31T12:00:00+00:00"), BERLIN, 4)
    assert [span.since.astimezone(BERLIN).isoformat() for span in found] == [
        "2026-03-28T13:00:00+01:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
        "2026-03-31T00:00:00+02:00",
    ]


def test_hours_are_those_of_clocks() -> None:
    found = buckets(at("2026-01-01T00:10:00+00:00"), at("2026-01-01T03:00:00+00:00"), zone("Asia/Kolkata"), 5)
    assert [span.since.minute for span in found] == [10, 30, 30, 30]


def test_nothing_lies_in_no_time() -> None:
    assert buckets(LAST, FIRST, UTC, 5) == buckets(FIRST, FIRST, UTC, 5) == []


SPANS = st.timedeltas(timedelta(microseconds=1), timedelta(days=4000)) | st.just(LAST - FIRST)


@given(
    since=INSTANTS,
    span=SPANS,
    zone=ZONES,
    most=st.integers(1, 500),
)
def test_spans_lie_side_by_side_and_are_not_too_many(since: datetime, span: timedelta, zone: object, most: int) -> None:
    since = held(since)
    until = held(since + min(span, LAST - since))
    found = buckets(since, until, zone, most)  # type: ignore[arg-type]
    assert len(found) <= most
    assert all(bucket.since < bucket.until for bucket in found)
    assert all(one.until == other.since for one, other in pairwise(found))
    if found:
        assert (found[0].since, found[-1].until) == (since, until)
    else:
        assert since >= until

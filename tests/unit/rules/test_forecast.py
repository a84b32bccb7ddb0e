"""When the log is full: told from what was seen of it, and only when enough was seen."""

from datetime import timedelta
from itertools import pairwise

import pytest
from fastflow_cli.doctor.log import judged
from fastflow_events.forecast import APART, LEAST, WINDOW, Forecast, Observed, Point, forecast, in_words, remember
from fastflow_events.testing.builders import NOON
from fastflow_rules.outlook import Outlook, outlook
from hypothesis import given
from hypothesis import strategies as st

DAY = timedelta(days=1)
GB = 10**9
MUCH = 10**15


def points(*value: tuple[timedelta, int]) -> list[Point]:
    return [Point(NOON + after, size) for after, size in value]


def test_ten_gigabytes_in_ten_days_fill_a_hundred_in_ninety() -> None:
    found = forecast(points((0 * DAY, 0), (10 * DAY, 10 * GB)), full_bytes=100 * GB)
    assert found == Forecast(bytes_per_day=GB, full_in_days=90.0)
    assert in_words(found) == "the log is full in 90 days at this rate"


@pytest.mark.parametrize(
    "known",
    [
        points(),
        points((DAY, GB)),
        points((0 * DAY, 0), (LEAST - timedelta(seconds=1), GB)),
        points((0 * DAY, GB), (DAY, GB)),
        points((0 * DAY, 2 * GB), (DAY, GB)),
        points((DAY, 0), (0 * DAY, GB)),
    ],
)
def test_where_too_little_is_known_or_nothing_grows_nothing_is_said(known: list[Point]) -> None:
    assert forecast(known, full_bytes=100 * GB) is None


def test_what_is_full_already_is_full_now() -> None:
    found = forecast(points((0 * DAY, 0), (DAY, 2 * GB)), full_bytes=GB)
    assert found is not None
    assert (found.full_in_days, in_words(found)) == (0, "the log is full")


@pytest.mark.parametrize(
    ("days", "words"),
    [(0.5, "in 12 hours"), (1.5, "in 36 hours"), (50.2, "in 50 days"), (1e6, "more than ten years")],
)
def test_the_sentence_has_the_unit_that_people_would_take(days: float, words: str) -> None:
    assert words in in_words(Forecast(1.0, days))


def test_a_rate_that_changed_counts_from_a_week_ago() -> None:
    kept: list[Point] = []
    for hour in range(24 * 30):
        size = hour if hour < 24 * 20 else 24 * 20 + (hour - 24 * 20) * 100
        kept = remember(kept, Point(NOON + timedelta(hours=hour), size))
    found = forecast(kept, full_bytes=MUCH)
    assert found is not None
    assert found.bytes_per_day == pytest.approx(2400)


def test_a_log_that_was_shortened_begins_a_new_story() -> None:
    kept = remember(points((0 * DAY, 0), (DAY, GB)), Point(NOON + 2 * DAY, GB // 2))
    assert kept == points((2 * DAY, GB // 2))


steps = st.lists(st.tuples(st.integers(1, 100_000), st.integers(0, GB)), max_size=300)


@given(steps)
def test_whatever_is_seen_few_points_are_kept_in_order_and_the_window_is_covered(steps: list[tuple[int, int]]) -> None:
    kept: list[Point] = []
    at, size = NOON, 0
    for seconds, more in steps:
        at, size = at + timedelta(seconds=seconds), size + more
        kept = remember(kept, Point(at, size))
        assert kept[-1] == Point(at, size)
        assert kept == sorted(kept)
        assert len(kept) <= WINDOW / APART + 3
        assert all(later.at - earlier.at >= APART for earlier, later in pairwise(kept[:-1]))
        assert len(kept) < 3 or at - kept[1].at < WINDOW
        found = forecast(kept, full_bytes=MUCH)
        assert found is None or (found.bytes_per_day > 0 and found.full_in_days >= 0)


def test_the_log_is_full_when_its_disk_is() -> None:
    seen = Observed(tuple(points((0 * DAY, 0), (DAY, GB))), 100 * GB)
    much, little = outlook(seen, 1000 * GB), outlook(seen, 4 * GB)
    assert much is not None
    assert little is not None
    assert much.full_in_days == 89.0  # new runs are refused from 90 % on
    assert little.full_in_days is not None
    assert 3.5 < little.full_in_days < 4
    assert outlook(Observed((), 0), GB) is None


@pytest.mark.parametrize(
    ("size", "days", "state"), [(GB, None, "ok"), (GB, 300.0, "ok"), (GB, 12.0, "warning"), (8 * GB, 300.0, "warning")]
)
def test_the_doctor_warns_before_it_is_too_late(size: int, days: float | None, state: str) -> None:
    found = judged(Outlook(bytes=size, max_bytes=10 * GB, full_in_days=days, forecast="full some day" if days else ""))
    assert found.state == state
    assert bool(found.fix) == (state == "warning")
    assert ("too little is known" in found.detail) == (days is None)

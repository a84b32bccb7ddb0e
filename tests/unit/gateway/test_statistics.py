"""What runs add up to: days of any zone, exact percentiles, rates, streaks."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from fastflow_events.testing.builders import NOON
from fastflow_gateway.core.statistics.figures import percentile, success_rate
from fastflow_gateway.core.statistics.of_days import Counted, Sample, days_of_counts, days_of_samples
from fastflow_gateway.core.statistics.of_pipeline import RunFigures, totals_of
from fastflow_gateway.core.statistics.zoned_days import days_of, days_until, minute_of
from hypothesis import given
from hypothesis import strategies as st

STATUSES = st.sampled_from(["queued", "running", "succeeded", "failed", "cancelled", "rejected"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"])
INSTANTS = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants bounds without zones
MS = st.none() | st.integers(0, 10**7)
SAMPLES = st.lists(st.builds(Sample, st.integers(0, 9), STATUSES, MS, MS), max_size=60)


@given(st.lists(st.integers(0, 1000), min_size=1), st.floats(0.01, 1.0))
def test_a_percentile_is_a_value_that_the_share_does_not_exceed(values: list[int], share: float) -> None:
    found = percentile(sorted(values), share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_of_nothing_there_is_no_percentile_and_no_rate() -> None:
    assert percentile([], 0.5) is None
    assert success_rate({"cancelled": 5, "rejected": 5, "running": 1}) is None
    assert success_rate({"succeeded": 3, "failed": 1, "cancelled": 96}) == 0.75


@given(st.lists(INSTANTS, max_size=50), ZONES)
def test_every_instant_belongs_to_the_day_that_the_zone_has_then(instants: list[datetime], name: str) -> None:
    zone = ZoneInfo(name)
    days = days_of(zone, date(2025, 12, 31), 367)
    number_of = days.numbering()
    for at in instants:
        number = number_of(minute_of(at))
        assert number is not None
        assert days.days[number].day == at.astimezone(zone).date()
        split = minute_of(at) // 60 in days.split_hours()
        whole = {number_of(minute_of(at) // 60 * 60 + minute) for minute in range(60)}
        assert split or whole == {number}
    assert number_of(minute_of(days.end)) is None


@given(SAMPLES)
def test_runs_that_are_counted_together_say_the_same_as_runs_one_by_one(samples: list[Sample]) -> None:
    days = days_of(ZoneInfo("UTC"), date(2026, 1, 1), 10)
    counted = [Counted(each.day, each.status, 1, each.duration_ms or 0) for each in samples]
    one_by_one, together = days_of_samples(days, samples), days_of_counts(days, counted)
    shared = ("day", "runs", "by_status", "success_rate", "seconds")
    assert [[getattr(each, name) for name in shared] for each in together] == [
        [getattr(each, name) for name in shared] for each in one_by_one
    ]
    assert sum(each.runs for each in together) == len(samples)


def test_a_day_is_as_long_as_its_clock_makes_it() -> None:
    days = days_of(ZoneInfo("Europe/Berlin"), date(2026, 3, 28), 3)
    starts = [day.start for day in days.days] + [days.end]
    assert [after - before for before, after in pairwise(starts)] == [
        timedelta(hours=24),
        timedelta(hours=23),
        timedelta(hours=24),
    ]
    assert days_until(ZoneInfo("Asia/Tokyo"), datetime(2026, 1, 1, 20, tzinfo=UTC), 1).days[0].day == date(2026, 1, 2)


def a_run(number: int, status: str, **more: object) -> RunFigures:
    known = {
        "id": f"r{number}",
        "at": (NOON + timedelta(hours=number)).isoformat(),
        "status": status,
        "outcome": status,
    }
    usual = {"attempt": 1, "wait_ms": 100, "duration_ms": 1000 * number, "prepare_s": 0.5, "cpu_s": 1.0}
    return RunFigures(**{**known, **usual, "peak_memory_bytes": 10, "finished_at": None, **more})  # type: ignore[arg-type]


def test_a_pipeline_adds_up() -> None:
    statuses = ["succeeded", "failed", "failed", "cancelled", "succeeded", "failed", "succeeded", "succeeded"]
    runs = [a_run(number, status) for number, status in enumerate(statuses, start=1)][::-1]
    found = totals_of(runs, [a_run(0, "failed")])
    assert (found.runs, found.success_rate) == (8, 4 / 7)
    assert (found.streak.status, found.streak.runs) == ("succeeded", 2)  # type: ignore[union-attr]
    assert (found.duration_s.values, found.duration_s.p50, found.duration_s.p99) == (4, 5.0, 8.0)
    assert found.between_failures_s == pytest.approx(2 * 3600)
    assert found.to_recovery_s == pytest.approx(2 * 3600)
    assert found.slowest[0] == "r8"
    assert (found.trend.runs, found.trend.success_rate, found.trend.p50_s) == (1, 0.0, None)


def test_retries_and_lost_runs_are_told() -> None:
    runs = [a_run(1, "failed", outcome="lost"), a_run(2, "succeeded", attempt=4)]
    found = totals_of(runs, [])
    assert (found.lost, found.retries, found.most_tried) == (1, 3, ["r2"])
    assert totals_of([], []).streak is None

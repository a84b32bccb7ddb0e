"""What the runs of each day add up to. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from msgspec import Struct

from fastflow_gateway.core.statistics.figures import percentile, seconds, success_rate
from fastflow_gateway.core.statistics.zoned_days import Days


class Counted(NamedTuple):
    """Runs of a day and a status, together; there may be several of the same."""

    day: int
    """Number of the day they were requested on."""
    status: str
    runs: int
    duration_ms: int


class Sample(NamedTuple):
    """One run."""

    day: int
    """Number of the day it was requested on."""
    status: str
    duration_ms: int | None
    wait_ms: int | None


class DayStats(Struct, frozen=True, kw_only=True):
    """The runs that were asked for on one day."""

    day: date
    start: datetime
    runs: int
    by_status: dict[str, int]
    """Statuses without runs are left out."""
    success_rate: float | None
    """Of those that succeeded or failed; null without any."""
    seconds: float
    """How long their user code took together."""
    mean_s: float | None
    """Of those that succeeded."""
    p50_s: float | None = None
    """Of those that succeeded; null without any, and where no pipeline is named or there are more than 92 days."""
    p95_s: float | None = None
    wait_p50_s: float | None = None
    """Until a runner took them; null as `p50_s` is."""
    wait_p95_s: float | None = None


def days_of_counts(days: Days, counted: Iterable[Counted]) -> list[DayStats]:
    """Every day, those without runs too; nothing is known of single runs."""
    runs = [Counter[str]() for _ in days.days]
    took = [Counter[str]() for _ in days.days]
    for each in counted:
        runs[each.day][each.status] += each.runs
        took[each.day][each.status] += each.duration_ms
    return [
        _day(days, number, runs[number], took[number].total(), took[number]["succeeded"])
        for number in range(len(days.days))
    ]


def days_of_samples(days: Days, samples: Iterable[Sample]) -> list[DayStats]:
    """The same from single runs, with percentiles."""
    of_day: list[list[Sample]] = [[] for _ in days.days]
    for sample in samples:
        of_day[sample.day].append(sample)
    return [_of_samples(days, number, found) for number, found in enumerate(of_day)]


def _of_samples(days: Days, number: int, samples: Sequence[Sample]) -> DayStats:
    took = sorted(each.duration_ms for each in samples if each.status == "succeeded" and each.duration_ms is not None)
    waited = sorted(each.wait_ms for each in samples if each.wait_ms is not None)
    runs = Counter(each.status for each in samples)
    total = sum(each.duration_ms or 0 for each in samples)
    return _day(
        days,
        number,
        runs,
        total,
        sum(took),
        p50_s=seconds(percentile(took, 0.5)),
        p95_s=seconds(percentile(took, 0.95)),
        wait_p50_s=seconds(percentile(waited, 0.5)),
        wait_p95_s=seconds(percentile(waited, 0.95)),
    )


def _day(
    days: Days, number: int, runs: Counter[str], total_ms: int, succeeded_ms: int, **more: float | None
) -> DayStats:
    succeeded = runs["succeeded"]
    return DayStats(
        day=days.days[number].day,
        start=days.days[number].start,
        runs=runs.total(),
        by_status={status: count for status, count in sorted(runs.items()) if count},
        success_rate=success_rate(runs),
        seconds=total_ms / 1000,
        mean_s=succeeded_ms / 1000 / succeeded if succeeded else None,
        **more,
    )

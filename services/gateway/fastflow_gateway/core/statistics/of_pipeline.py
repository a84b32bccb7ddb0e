"""What the runs of one pipeline add up to. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from fastflow_gateway.core.statistics.figures import percentile, seconds, success_rate

SHOWN = 1000
"""Runs that are shown one by one."""
NAMED = 5
"""The slowest, and those that were tried most often."""
JUDGED = ("succeeded", "failed")


class RunFigures(NamedTuple):
    """One run, as the read model has it."""

    id: str
    at: str
    """Of the request, RFC 3339."""
    status: str
    outcome: str | None
    attempt: int
    wait_ms: int | None
    duration_ms: int | None
    prepare_s: float | None
    peak_memory_bytes: int | None
    cpu_s: float | None
    finished_at: str | None


class Percentiles(Struct, frozen=True, kw_only=True):
    """Of a number of values."""

    values: int
    p50: float | None
    p95: float | None
    p99: float | None


class RunPoint(Struct, frozen=True, kw_only=True):
    """One run, for a chart."""

    id: str
    at: datetime
    status: str
    outcome: str | None
    attempt: int
    duration_s: float | None
    wait_s: float | None
    prepare_s: float | None
    peak_memory_bytes: int | None


class Trend(Struct, frozen=True, kw_only=True):
    """The same, for the window before."""

    runs: int
    success_rate: float | None
    p50_s: float | None


class Streak(Struct, frozen=True, kw_only=True):
    """How often the last result has come in a row."""

    status: str
    runs: int


class Totals(Struct, frozen=True, kw_only=True):
    """What runs add up to; cancelled and rejected ones are neither successes nor failures."""

    runs: int
    by_status: dict[str, int]
    success_rate: float | None
    duration_s: Percentiles
    """Of those that succeeded."""
    wait_s: Percentiles
    prepare_s: Percentiles
    peak_memory_bytes: int | None
    cpu_s: float
    retries: int
    """Attempts beyond the first."""
    lost: int
    streak: Streak | None
    between_failures_s: float | None
    """Mean time from one failure to the next."""
    to_recovery_s: float | None
    """Mean time from a first failure to the next success."""
    slowest: list[str]
    """Ids of runs."""
    most_tried: list[str]
    """Ids of runs that took more than one attempt."""
    trend: Trend


def totals_of(runs: Sequence[RunFigures], before: Sequence[RunFigures]) -> Totals:
    """Runs of a window, newest first, beside those of the window before."""
    counts = counts_of(runs)
    took = durations(runs)
    tried = [run for run in runs if run.attempt > 1]
    slowest = sorted((run for run in runs if run.duration_ms), key=lambda run: -(run.duration_ms or 0))
    judged = [run for run in reversed(runs) if run.status in JUDGED]
    return Totals(
        runs=len(runs),
        by_status=counts,
        success_rate=success_rate(counts),
        duration_s=_percentiles([ms / 1000 for ms in took]),
        wait_s=_percentiles(sorted(run.wait_ms / 1000 for run in runs if run.wait_ms is not None)),
        prepare_s=_percentiles(sorted(run.prepare_s for run in runs if run.prepare_s is not None)),
        peak_memory_bytes=max((run.peak_memory_bytes or 0 for run in runs), default=0) or None,
        cpu_s=sum(run.cpu_s or 0.0 for run in runs),
        retries=sum(run.attempt - 1 for run in tried),
        lost=sum(run.outcome == "lost" for run in runs),
        streak=_streak(judged),
        between_failures_s=_mean(_between_failures(judged)),
        to_recovery_s=_mean(_to_recovery(judged)),
        slowest=[run.id for run in slowest[:NAMED]],
        most_tried=[run.id for run in sorted(tried, key=lambda run: -run.attempt)[:NAMED]],
        trend=Trend(
            runs=len(before),
            success_rate=success_rate(counts_of(before)),
            p50_s=seconds(percentile(durations(before), 0.5)),
        ),
    )


def points_of(runs: Sequence[RunFigures]) -> list[RunPoint]:
    """The newest runs one by one."""
    return [
        RunPoint(
            id=run.id,
            at=_at(run.at),
            status=run.status,
            outcome=run.outcome,
            attempt=run.attempt,
            duration_s=seconds(run.duration_ms),
            wait_s=seconds(run.wait_ms),
            prepare_s=run.prepare_s,
            peak_memory_bytes=run.peak_memory_bytes,
        )
        for run in runs[:SHOWN]
    ]


def counts_of(runs: Iterable[RunFigures]) -> dict[str, int]:
    """How many runs have each status."""
    counts: dict[str, int] = {}
    for run in runs:
        counts[run.status] = counts.get(run.status, 0) + 1
    return dict(sorted(counts.items()))


def durations(runs: Iterable[RunFigures]) -> list[int]:
    """How long those took that succeeded, in order."""
    return sorted(run.duration_ms for run in runs if run.status == "succeeded" and run.duration_ms is not None)


def _percentiles(ordered: Sequence[float]) -> Percentiles:
    p50, p95, p99 = (percentile(ordered, share) for share in (0.5, 0.95, 0.99))
    return Percentiles(values=len(ordered), p50=p50, p95=p95, p99=p99)


def _streak(judged: Sequence[RunFigures]) -> Streak | None:
    """Of runs, oldest first."""
    if not judged:
        return None
    last, runs = judged[-1].status, 0
    for run in reversed(judged):
        if run.status != last:
            break
        runs += 1
    return Streak(status=last, runs=runs)


def _between_failures(judged: Sequence[RunFigures]) -> list[float]:
    failed = [run for run in judged if run.status == "failed"]
    return [(_at(after.at) - _at(before.at)).total_seconds() for before, after in pairwise(failed)]


def _to_recovery(judged: Sequence[RunFigures]) -> list[float]:
    found: list[float] = []
    since: datetime | None = None
    for run in judged:
        ended = _at(run.finished_at or run.at)
        if run.status == "failed":
            since = since or ended
        elif since is not None:
            found.append((ended - since).total_seconds())
            since = None
    return found


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None

"""What a list of pipelines shows of their runs."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from fastflow_gateway.core.statistics.figures import percentile, seconds
from fastflow_gateway.rows.statistics import RunBrief

LEAST = 5
"""With fewer successes nothing is claimed about what is usual."""


class PipelineFigures(Struct, frozen=True, kw_only=True):
    """The runs of a pipeline, added up."""

    runs_30_d: int
    success_30_d: float | None
    """Of those that succeeded or failed within thirty days of UTC and today; null without any."""
    p50_s: float | None
    """Of the last 30 successes; null with fewer than five."""
    p95_s: float | None


class LastRun(Struct, frozen=True, kw_only=True):
    """One of the newest runs."""

    id: str
    status: str
    outcome: str | None
    requested_at: datetime
    duration_s: float | None


class NextOfPipeline(Struct, frozen=True, kw_only=True):
    """The next fire of any of its schedules."""

    at: datetime
    schedule: str


def show_last(run: RunBrief) -> LastRun:
    """The run in a strip."""
    return LastRun(
        id=run.id,
        status=run.status,
        outcome=run.outcome,
        requested_at=run.at,
        duration_s=seconds(run.duration_ms),
    )


def show_figures(runs: int, success: float | None, ordered_ms: Sequence[int]) -> PipelineFigures:
    """The figures; `ordered_ms` is how long the last successes took."""
    known = ordered_ms if len(ordered_ms) >= LEAST else ()
    return PipelineFigures(
        runs_30_d=runs,
        success_30_d=success,
        p50_s=seconds(percentile(known, 0.5)),
        p95_s=seconds(percentile(known, 0.95)),
    )

"""What is asked about what runs add up to."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Protocol

from fastflow_gateway.core.statistics.of_days import Counted, Sample
from fastflow_gateway.core.statistics.of_pipeline import RunFigures
from fastflow_gateway.core.statistics.zoned_days import Days


class Window(NamedTuple):
    """A stretch of time, half-open; runs belong to it by the instant of their request."""

    since: datetime
    until: datetime


class StatusTotals(NamedTuple):
    """Runs of one status."""

    status: str
    runs: int
    duration_ms: int
    wait_ms: int
    waited: int
    """How many of them a runner took."""


class PipelineTotals(NamedTuple):
    """Runs of one pipeline and status."""

    pipeline: str
    status: str
    runs: int
    duration_ms: int


class PipelineUse(NamedTuple):
    """What the runs of one pipeline took of what there is."""

    pipeline: str
    runs: int
    failed: int
    duration_ms: int
    wait_ms: int
    cpu_s: float
    peak_memory_bytes: int
    output_bytes: int


class FireSeen(NamedTuple):
    """A run that a schedule asked for."""

    run: str
    pipeline: str
    schedule: str
    nominal: datetime
    at: datetime
    """Of the request."""
    status: str


class FailureSeen(NamedTuple):
    """The failed runs of a pipeline that no success has followed, of one kind of error."""

    run: str
    pipeline: str
    at: datetime
    commit: str
    outcome: str
    reason: str
    reason_message: str
    error: str | None


class RunBrief(NamedTuple):
    """One run in a strip."""

    pipeline: str
    id: str
    status: str
    outcome: str | None
    at: datetime
    duration_ms: int | None


class StatisticsRows(Protocol):
    """The tables of runs, counted."""

    async def day_counts(self, days: Days, pipelines: Collection[str] | None) -> list[Counted]:
        """Runs by day and status, all of them or those of some pipelines."""

    async def samples(self, days: Days, pipelines: Collection[str], *, limit: int) -> list[Sample]:
        """The newest runs of some pipelines, one by one."""

    async def figures(self, window: Window, pipeline: str, *, limit: int) -> list[RunFigures]:
        """The newest runs of a pipeline, newest first."""

    async def totals(self, window: Window) -> list[StatusTotals]:
        """Every run of a window of a few days, by status."""

    async def totals_by_pipeline(self, since: datetime) -> list[PipelineTotals]:
        """Runs of whole days, UTC, from that of `since` on, by pipeline and status."""

    async def uses(self, window: Window, *, limit: int) -> tuple[list[PipelineUse], int]:
        """What each pipeline took with the newest runs of a window, and how many runs these were."""

    async def fires(self, window: Window, pipeline: str | None, *, limit: int) -> list[FireSeen]:
        """The newest runs that schedules asked for in a window."""

    async def fire_delays(self, window: Window, pipeline: str | None) -> list[tuple[str, int, int]]:
        """Of the runs that schedules asked for in a window: schedule, seconds of delay, and how many there were."""

    async def told_fires(self, window: Window, pipeline: str | None, *, limit: int) -> list[str]:
        """What was told of fires that did not happen, from the window on, as the schedules' rows have it."""

    async def open_failures(self, *, each: int) -> list[FailureSeen]:
        """The newest failures of each pipeline that no success has followed, newest first."""

    async def last_runs(self, pipelines: Collection[str], *, each: int) -> list[RunBrief]:
        """The newest runs of each of these pipelines, newest first."""

    async def last_successes(
        self, pairs: Collection[tuple[str, str | None]], *, each: int
    ) -> dict[tuple[str, str | None], list[int]]:
        """How many milliseconds the newest successes took, by pipeline and run configuration, in order."""

    async def backfill_counts(self, backfills: Collection[str]) -> dict[str, dict[str, int]]:
        """How many runs of each of these backfills have each status."""

    async def usual_of(self, pipelines: Collection[str], *, each: int) -> dict[str, list[int]]:
        """How many milliseconds the newest successes of pipelines took, in order."""

"""How statistics look to people."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from fastflow_gateway.core.statistics.of_days import DayStats
from fastflow_gateway.core.statistics.of_pipeline import RunPoint, Totals

TopBy: TypeAlias = Literal["duration", "failures", "cpu", "memory", "output", "wait"]


class DayList(Struct, frozen=True, kw_only=True):
    """Days, oldest first."""

    items: list[DayStats]
    zone: str
    next: str | None = None


class PipelineStats(Struct, frozen=True, kw_only=True):
    """What the runs of a pipeline add up to."""

    pipeline: str
    since: datetime
    """First instant of the window; later than it was asked for when the statistics were reset meanwhile."""
    until: datetime
    zone: str
    complete: bool
    """False when there are so many runs that only the newest were looked at."""
    totals: Totals
    days: list[DayStats]
    runs: list[RunPoint]
    """The newest thousand, newest first."""


class Summary(Struct, frozen=True, kw_only=True):
    """What happened within exactly so many hours."""

    hours: int
    runs: int
    by_status: dict[str, int]
    success_rate: float | None
    """Of those that succeeded or failed; null without any."""
    mean_wait_s: float | None
    """Until a runner took them."""
    fires_on_time: float | None
    """Share of the fires of schedules that happened, and not late; null without any."""


class SummaryResponse(Struct, frozen=True, kw_only=True):
    """How it goes."""

    now: datetime
    last_24_h: Summary
    last_7_d: Summary
    failing: list[str]
    """Pipelines whose last failure no success has followed."""
    slots: int
    busy_slots: int


class Ranked(Struct, frozen=True, kw_only=True):
    """A pipeline's place in a ranking."""

    pipeline: str
    value: float
    """In seconds, runs, or bytes."""
    runs: int


class Top(Struct, frozen=True, kw_only=True):
    """Pipelines, the one with most first."""

    by: TopBy
    since: datetime
    until: datetime
    complete: bool
    """False when there are so many runs that only the newest were looked at."""
    items: list[Ranked]
    next: str | None = None


class FireStats(Struct, frozen=True, kw_only=True):
    """What became of the fires of schedules."""

    since: datetime
    until: datetime
    due: int
    on_time: int
    late: int
    """A run was asked for, more than a minute after the instant that was meant and its jitter."""
    skipped: int
    missed: int
    complete: bool
    """False when there are so many that only the newest were looked at."""

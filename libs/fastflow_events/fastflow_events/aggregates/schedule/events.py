"""The facts of a schedule; its id is `<pipeline>:<name>`, whether a file or somebody over the API said it.

A fire that happens is `run.requested` of the run it asks for; these facts tell of all the others.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from fastflow_events.fact import Fact, wire
from fastflow_events.message import Message
from fastflow_events.types import Env, PipelineName, Seconds


class CatchupRule(Struct, frozen=True, kw_only=True):
    """What becomes of fires that could not happen in time."""

    policy: Literal["skip", "latest", "all"] = "latest"
    within_s: Seconds = 3600.0
    max_runs: Annotated[int, Meta(ge=1, le=10_000)] = 100


@wire("schedule.set.v1")
class ScheduleSet(Fact, frozen=True, kw_only=True):
    """The pipeline runs at these times; replaces what was set under this id before."""

    pipeline: PipelineName
    name: str
    """What it is called among the schedules of its pipeline."""
    cron: str | None = None
    """Exactly one of `cron`, `interval_s` and `at` is given."""
    interval_s: Seconds | None = None
    at: datetime | None = None
    """One single fire."""
    timezone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    catchup: CatchupRule = CatchupRule()
    jitter_s: Seconds = 0.0
    run_config_id: str | None = None
    params: Env = {}
    priority: int | None = None
    """None is what the pipeline says."""
    who: str = ""


@wire("schedule.removed.v1")
class ScheduleRemoved(Fact, frozen=True, kw_only=True):
    """Nobody wants these times any more."""

    who: str


@wire("schedule.paused.v1")
class SchedulePaused(Fact, frozen=True, kw_only=True):
    """Fires are left out until it is resumed."""

    who: str
    why: str = ""


@wire("schedule.resumed.v1")
class ScheduleResumed(Fact, frozen=True, kw_only=True):
    """Fires happen again, from now on."""

    who: str


class _NotFired(Fact, frozen=True, kw_only=True):
    pipeline: PipelineName
    first: datetime
    """Nominal instant of the first fire this is about."""
    last: datetime
    """And of the last one; everything up to here is settled."""
    count: int
    """How many; `at_least` says that nobody counted further."""
    at_least: bool = False
    reason: str
    """A sentence a person understands."""
    reason_message: Message | None = None


@wire("schedule.fire_skipped.v1")
class ScheduleFireSkipped(_NotFired, frozen=True, kw_only=True):
    """Fires were left out on purpose: somebody had paused them, or what they start was starting already."""


@wire("schedule.fire_missed.v1")
class ScheduleFireMissed(_NotFired, frozen=True, kw_only=True):
    """Fires should have happened and did not; they will not be made up for."""

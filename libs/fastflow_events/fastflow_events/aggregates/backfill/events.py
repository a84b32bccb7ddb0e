"""The facts of a backfill; which runs exist and how they ended is told by the runs."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from fastflow_events.fact import Fact, wire
from fastflow_events.types import CommitSha, Env, PipelineName

MAX_INSTANTS = 1000
"""More instants do not fit into a fact; longer ranges are several backfills."""


@wire("backfill.requested.v1")
class BackfillRequested(Fact, frozen=True, kw_only=True):
    """Somebody wants a run for each of these instants; which ones was decided when it was asked for."""

    pipeline: PipelineName
    schedule: str
    """Id of the schedule whose instants these are."""
    instants: Annotated[tuple[datetime, ...], Meta(min_length=1, max_length=MAX_INSTANTS)]
    """Nominal instants, oldest first."""
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 1
    """Runs that may be open at once."""
    run_config_id: str | None = None
    params: Env = {}
    commit: CommitSha | None = None
    """None is the head at the time each run is asked for."""
    priority: int = 0
    who: str = ""


@wire("backfill.cancelled.v1")
class BackfillCancelled(Fact, frozen=True, kw_only=True):
    """No more runs are asked for; the open ones are cancelled."""

    who: str
    why: str = ""

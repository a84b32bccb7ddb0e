"""Which attempts are claimed and open: a pure fold of the facts of all runs."""

from typing import TypeAlias

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunAttemptFinished,
    RunCancelRequested,
    RunClaimed,
    RunFinished,
    RunLost,
)
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_runner.ports import AttemptRef


class OpenClaim(Struct, frozen=True, kw_only=True):
    """An attempt that somebody holds and that has not ended."""

    ref: AttemptRef
    holder: Holder


class Closed(Struct, frozen=True, kw_only=True):
    """The run has no open claim any more."""

    run_id: str
    attempt: int | None
    by_others: bool
    """Not its holder said so."""


class Cancelled(Struct, frozen=True, kw_only=True):
    """Somebody wants the run to end."""

    run_id: str


Change: TypeAlias = OpenClaim | Closed | Cancelled


def change(recorded: Recorded) -> Change | None:
    """What a fact changes about open claims; None for most."""
    match recorded.fact:
        case RunClaimed() | RunAdopted() as fact:
            holder = Holder(runner=fact.runner, incarnation=fact.incarnation, engine=fact.engine)
            return OpenClaim(ref=AttemptRef(run_id=recorded.id, attempt=fact.attempt), holder=holder)
        case RunAttemptFinished() | RunLost() | RunFinished() as fact:
            return Closed(run_id=recorded.id, attempt=fact.attempt, by_others=isinstance(fact, RunLost))
        case RunCancelRequested():
            return Cancelled(run_id=recorded.id)
        case _:
            return None

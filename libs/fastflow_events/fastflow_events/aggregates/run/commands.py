"""What may be asked of a run; every id and every instant comes with the command."""

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from fastflow_events.aggregates.run.events import (
    RunArtifactStored,
    RunAttemptFinished,
    RunCellFinished,
    RunOutputTruncated,
    RunRequested,
    RunSoftLimitExceeded,
)
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.message import Statement
from fastflow_events.types import CancelKind, RejectReason


class Holder(Struct, frozen=True, kw_only=True):
    """Who executes an attempt."""

    runner: str
    incarnation: str
    engine: str


class RequestRun(Struct, frozen=True, kw_only=True):
    """Ask for a run; asking twice with one id is asking once."""

    request: RunRequested


class RejectRun(Struct, frozen=True, kw_only=True):
    """Refuse a run that has not been dispatched."""

    reason: RejectReason
    detail: Statement


class DispatchAttempt(Struct, frozen=True, kw_only=True):
    """Hand the run's next attempt to a pool."""

    pool: str
    term: int
    specification: Specification
    group: str | None = None


class WithdrawDispatch(Struct, frozen=True, kw_only=True):
    """Take an unclaimed attempt back into the queue."""

    attempt: int
    reason: Statement


class ClaimAttempt(Struct, frozen=True, kw_only=True):
    """Take a dispatched attempt."""

    attempt: int
    holder: Holder
    heir: str = ""
    """Hash of what a runner of another name has to show to adopt it; empty: none may."""


class AdoptAttempt(Struct, frozen=True, kw_only=True):
    """Go on with an attempt that another incarnation on the same engine held, or another runner there."""

    attempt: int
    holder: Holder
    proof: str = ""
    """That it shares the engine with the holder; only a runner of another name needs it."""
    heir: str = ""


class StartAttempt(Struct, frozen=True, kw_only=True):
    """Say that user code has been started."""

    attempt: int
    holder: Holder
    manifest: Manifest
    started_at: datetime


class ReportAttempt(Struct, frozen=True, kw_only=True):
    """Say something the holder noticed about its attempt."""

    holder: Holder
    report: RunSoftLimitExceeded | RunOutputTruncated | RunCellFinished | RunArtifactStored
    more: tuple[RunCellFinished, ...] = ()
    """Said together with it."""


class FinishAttempt(Struct, frozen=True, kw_only=True):
    """Say how the attempt ended; a cancel that already stands in the log decides its outcome."""

    holder: Holder
    finished: RunAttemptFinished


class LoseAttempt(Struct, frozen=True, kw_only=True):
    """Give up on a holder whose lease has run out for good."""

    attempt: int
    last_heartbeat: datetime | None = None


class ConcludeRun(Struct, frozen=True, kw_only=True):
    """End the run as its last attempt ended, or a cancelled run that nobody holds; with `retry_due`, try again."""

    retry_due: datetime | None = None


class RequestCancel(Struct, frozen=True, kw_only=True):
    """Ask for the run's end."""

    who: str
    why: str | Statement = ""
    """The words of a person, or ours."""
    kind: CancelKind = "user"
    schedule: str | None = None
    nominal: datetime | None = None


class PrioritiseRun(Struct, frozen=True, kw_only=True):
    """Move the run in the queue."""

    priority: int
    who: str


class HurryRun(Struct, frozen=True, kw_only=True):
    """Do not wait for the retry's due instant."""

    who: str


RunCommand: TypeAlias = (
    RequestRun
    | RejectRun
    | DispatchAttempt
    | WithdrawDispatch
    | ClaimAttempt
    | AdoptAttempt
    | StartAttempt
    | ReportAttempt
    | FinishAttempt
    | LoseAttempt
    | ConcludeRun
    | RequestCancel
    | PrioritiseRun
    | HurryRun
)

"""The facts of a run, in the order in which they usually happen."""

from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Struct

from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.fact import Fact, wire
from fastflow_events.message import Message
from fastflow_events.types import (
    Attempt,
    Bytes,
    CancelKind,
    CommitSha,
    Env,
    Outcome,
    PipelineName,
    RejectReason,
    RunId,
    Seconds,
    TriggerKind,
)


class Trigger(Struct, frozen=True, kw_only=True):
    """Why a run exists."""

    kind: TriggerKind
    who: str = ""
    """Principal, or the address of the caller; never a secret."""
    upstream_run: RunId | None = None
    schedule: str | None = None
    nominal: datetime | None = None
    """The instant a schedule meant, UTC."""
    backfill: str | None = None
    upstream_runs: tuple[RunId, ...] = ()
    """Of a fan-in: every run it waited for, `upstream_run` the last one."""
    depth: int = 0
    """Chains between the run that began it all and this one."""
    rerun_of: RunId | None = None
    """The run that somebody wanted once more; `rerun_after` is the one that it had followed."""
    rerun_after: RunId | None = None


@wire("run.requested.v1")
class RunRequested(Fact, frozen=True, kw_only=True):
    """Somebody wants a pipeline to run. Nothing has been executed yet."""

    pipeline: PipelineName
    trigger: Trigger
    commit: CommitSha | None = None
    """The asker's head unless named; None when the asker knew no such pipeline."""
    run_config_id: str | None = None
    env: Env = {}
    params: Env = {}
    priority: int = 0


@wire("run.rejected.v1")
class RunRejected(Fact, frozen=True, kw_only=True):
    """The run will not be executed. Terminal."""

    reason: RejectReason
    detail: str
    """A sentence a person understands."""
    detail_message: Message | None = None


@wire("run.dispatched.v1", scope="pool")
class RunDispatched(Fact, frozen=True, kw_only=True):
    """An attempt was admitted and waits in its pool for a runner; fact and work item in one."""

    attempt: Attempt
    pool: str
    term: int
    """Leadership term of the scheduler that dispatched."""
    specification: Specification
    group: str | None = None
    """Concurrency group in which the attempt takes a place."""


@wire("run.dispatch_withdrawn.v1")
class RunDispatchWithdrawn(Fact, frozen=True, kw_only=True):
    """No runner claimed the attempt in time; it is back in the queue and costs no retry."""

    attempt: Attempt
    reason: str
    reason_message: Message | None = None


@wire("run.claimed.v1", scope="runner")
class RunClaimed(Fact, frozen=True, kw_only=True):
    """A runner holds the attempt. Appended before anything is created: the fence."""

    attempt: Attempt
    runner: str
    incarnation: str
    """New with every start of the runner's process."""
    engine: str
    """Id of the container engine, or of the host for the process executor."""
    heir: str = ""
    """SHA-256, hex, of the proof that a runner of another name has to show to adopt the attempt; empty: none may."""


@wire("run.adopted.v1", scope="runner")
class RunAdopted(Fact, frozen=True, kw_only=True):
    """Another incarnation or another runner on the same engine took the attempt over."""

    attempt: Attempt
    runner: str
    incarnation: str
    engine: str
    proof: str = ""
    """That it shares the engine with the holder before, where that has another name; used once."""
    heir: str = ""
    """What the next adopter has to show, as in `run.claimed`."""


@wire("run.started.v1", scope="runner")
class RunStarted(Fact, frozen=True, kw_only=True):
    """The first instruction of user code is about to run."""

    attempt: Attempt
    runner: str
    manifest: Manifest
    started_at: datetime


@wire("run.attempt_finished.v1", scope="runner")
class RunAttemptFinished(Fact, frozen=True, kw_only=True):
    """The attempt is over and its output is stored completely."""

    attempt: Attempt
    runner: str
    outcome: Outcome
    detail: str = ""
    """A sentence a person understands; empty on success."""
    detail_message: Message | None = None
    exit_code: int | None = None
    """0-255; None when no user code ran or its end is unknown."""
    signal: int | None = None
    route: str | None = None
    result: dict[str, Any] | None = None
    """What the run left in `FASTFLOW_RESULT_FILE`: a JSON object of at most 32 kB."""
    result_error: str = ""
    """Why what it left there could not be read; empty when there is nothing to say."""
    result_error_message: Message | None = None
    peak_memory_bytes: Bytes | None = None
    peak_cpus: float | None = None
    """Most processors in use over about a second."""
    cpu_s: Seconds | None = None
    received_bytes: Bytes | None = None
    """Over the network; None where nobody knows, and for attempts that were over in no time. So are the following."""
    sent_bytes: Bytes | None = None
    read_bytes: Bytes | None = None
    """From disks."""
    written_bytes: Bytes | None = None
    output_lines: int = 0
    output_bytes: Bytes = 0
    finished_at: datetime | None = None
    error: ScriptError | None = None
    """Of an attempt that failed."""


@wire("run.lost.v1")
class RunLost(Fact, frozen=True, kw_only=True):
    """The holder's lease ran out for good; what became of the attempt is unknown."""

    attempt: Attempt
    runner: str
    last_heartbeat: datetime | None = None


@wire("run.retry_scheduled.v1")
class RunRetryScheduled(Fact, frozen=True, kw_only=True):
    """The run will be tried again."""

    attempt: Attempt
    """The next attempt."""
    due: datetime


@wire("run.cancel_requested.v1")
class RunCancelRequested(Fact, frozen=True, kw_only=True):
    """Somebody wants the run to end."""

    who: str
    why: str = ""
    why_message: Message | None = None
    """Missing for the words of a person."""
    kind: CancelKind = "user"
    schedule: str | None = None
    """Schedule that replaces the run by a new one, and the instant it meant."""
    nominal: datetime | None = None


@wire("run.prioritised.v1")
class RunPrioritised(Fact, frozen=True, kw_only=True):
    """The run's place in the queue changed."""

    priority: int
    who: str


@wire("run.hurried.v1")
class RunHurried(Fact, frozen=True, kw_only=True):
    """A waiting retry is wanted now."""

    who: str


@wire("run.soft_limit_exceeded.v1", scope="runner")
class RunSoftLimitExceeded(Fact, frozen=True, kw_only=True):
    """A soft limit was passed; once per kind and attempt."""

    attempt: Attempt
    runner: str
    kind: str
    limit: float
    measured: float


@wire("run.output_truncated.v1", scope="runner")
class RunOutputTruncated(Fact, frozen=True, kw_only=True):
    """Output beyond the cap was counted and thrown away."""

    attempt: Attempt
    runner: str
    dropped_bytes: Bytes


@wire("run.cell_finished.v1", scope="runner")
class RunCellFinished(Fact, frozen=True, kw_only=True):
    """One code cell of a notebook ended."""

    attempt: Attempt
    runner: str
    cell: int
    """Among the code cells, counting from 1; `tries` is how often it was executed."""
    succeeded: bool
    tries: int


@wire("run.artifact_stored.v1", scope="runner")
class RunArtifactStored(Fact, frozen=True, kw_only=True):
    """A file the run left behind is kept."""

    attempt: Attempt
    runner: str
    path: str
    sha256: str
    size_bytes: Bytes


@wire("run.finished.v1")
class RunFinished(Fact, frozen=True, kw_only=True):
    """The run is over. Terminal."""

    outcome: Outcome
    attempt: Attempt | None = None
    """The attempt that decided; None when none was ever made."""
    detail: str = ""
    detail_message: Message | None = None


RunFact: TypeAlias = (
    RunRequested
    | RunRejected
    | RunDispatched
    | RunDispatchWithdrawn
    | RunClaimed
    | RunAdopted
    | RunStarted
    | RunAttemptFinished
    | RunLost
    | RunRetryScheduled
    | RunCancelRequested
    | RunPrioritised
    | RunHurried
    | RunSoftLimitExceeded
    | RunOutputTruncated
    | RunCellFinished
    | RunArtifactStored
    | RunFinished
)

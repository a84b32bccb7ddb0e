"""A row of the table `runs`, and the words for where a run is."""

from typing import Literal, TypeAlias

from fastflow_events.types import Outcome, TriggerKind
from msgspec import Struct

RunStatus: TypeAlias = Literal[
    "queued", "preparing", "running", "waiting", "succeeded", "failed", "cancelled", "rejected"
]
OVER: frozenset[RunStatus] = frozenset({"succeeded", "failed", "cancelled", "rejected"})


class RunRow(Struct, frozen=True):
    """One run. Instants are RFC 3339 UTC text."""

    id: str
    seq: int
    """Stream position of the fact that changed the row last."""
    requested_seq: int
    """Stream position of the request; orders the pages."""
    pipeline: str
    status: RunStatus
    requested_at: str
    trigger_kind: TriggerKind
    who: str
    commit_sha: str | None
    run_config_id: str | None
    params: str
    """JSON object."""
    env_names: str
    """JSON list; values are shown nowhere."""
    priority: int = 0
    outcome: Outcome | None = None
    reason: str = ""
    """Why the run waits, was refused or ended as it did; empty when there is nothing to say."""
    reason_message: str = ""
    """JSON object: its code and arguments; empty when there is nothing to say."""
    dispatched: int = 0
    """1 while an attempt waits in its pool for a runner."""
    attempt: int = 0
    """The attempt in hand or the last one; 0 before the first dispatch."""
    cancel_requested: int = 0
    """1 once somebody asked for the run's end."""
    due: str | None = None
    """When a waiting run is tried again."""
    runner: str | None = None
    executor: str | None = None
    container: str | None = None
    image: str | None = None
    environment: str | None = None
    prepare_s: float | None = None
    started_at: str | None = None
    finished_at: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    peak_memory_bytes: int | None = None
    cpu_s: float | None = None
    output_lines: int = 0
    output_bytes: int = 0
    dropped_bytes: int = 0
    peak_cpus: float | None = None
    received_bytes: int | None = None
    sent_bytes: int | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None
    artifacts: int = 0
    """Files that are kept, of all attempts together."""
    soft_limits: str = "[]"
    """JSON list: kinds of soft limits that were passed."""
    upstream_run: str | None = None
    """The run whose end asked for this one."""
    upstream_runs: str = "[]"
    """JSON list; more than one for a fan-in."""
    schedule: str | None = None
    nominal: str | None = None
    """The instant it stands for."""
    backfill: str | None = None
    rerun_of: str | None = None
    """The run that somebody wanted once more."""
    branch: str = ""
    """The branch whose head its code was; empty when the commit was named."""
    route: str | None = None
    """The way that the last attempt named for a chain."""
    has_result: int = 0
    """1 when the last attempt left a result; the result itself is in its fact."""
    result_error: str = ""
    """Why what it left as a result could not be read."""
    result_error_message: str = ""
    error: str | None = None
    """JSON object: the last error that the last attempt printed, where it failed."""
    hour: int = 0
    """In which hour it was requested, counted from 1970, UTC."""
    steps: str = ""
    """How its status changed: `q0,0;p4,120;r5,180;s9,4400`, see `steps`."""
    wait_ms: int | None = None
    """From the request until a runner took it first; null before."""
    duration_ms: int | None = None
    """Of the last attempt's user code; null while the run is open, and when none ran."""


def is_over(row: RunRow) -> bool:
    """Whether nothing changes it any more."""
    return row.status in OVER

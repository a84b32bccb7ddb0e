"""How a run looks to people: its JSON columns opened, with what no row says."""

from typing import Any

import msgspec
from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.message import Message, Statement
from fastflow_events.types import Outcome, TriggerKind
from msgspec import Struct

from fastflow_gateway.core.commits import UNKNOWN, ShownCommit
from fastflow_gateway.core.responses.attempts import AttemptResponse, CancelResponse, Story
from fastflow_gateway.core.responses.overview import Usual
from fastflow_gateway.core.typed import InstantText
from fastflow_gateway.core.views.reasons import message_of
from fastflow_gateway.core.views.runs import RunRow, RunStatus


class WaitingFor(Struct, frozen=True, kw_only=True):
    """What keeps a run from starting."""

    reason: str
    reason_message: Message | None
    position: int | None = None
    """Place in the queue, counting from 1; null for one that is not in it."""


class RunResponse(Struct, frozen=True, kw_only=True):
    """One run, as of its last projected fact."""

    id: str
    pipeline: str
    status: RunStatus
    outcome: Outcome | None
    reason: str
    """Why it waits, was refused or ended as it did."""
    reason_message: Message | None
    attempt: int
    trigger: TriggerKind
    who: str
    commit: str | None
    branch: str
    """The branch whose head its code was; empty before it is dispatched, and when the commit was named."""
    commit_subject: str
    """First line of the commit's message; empty where that is not known, like author and time."""
    commit_author: str
    committed_at: InstantText | None
    commit_url: str | None
    """Its page at the Git host, where that is one whose pages are known."""
    run_config_id: str | None
    params: dict[str, str]
    env: list[str]
    """Names only."""
    priority: int
    cancel_requested: bool
    requested_at: InstantText
    started_at: InstantText | None
    finished_at: InstantText | None
    due: InstantText | None
    runner: str | None
    executor: str | None
    container: str | None
    image: str | None
    environment: str | None
    prepare_s: float | None
    exit_code: int | None
    signal: int | None
    peak_memory_bytes: int | None
    cpu_s: float | None
    output_lines: int
    output_bytes: int
    dropped_bytes: int
    peak_cpus: float | None
    """Most processors in use over about a second; null for attempts that were over in no time."""
    received_bytes: int | None
    """Over the network; null where nobody knows."""
    sent_bytes: int | None
    read_bytes: int | None
    written_bytes: int | None
    artifacts: int
    """How many files it left behind that are kept."""
    soft_limits: list[str]
    """Kinds of soft limits that were passed."""
    route: str | None
    """The way that it named for a chain."""
    result: dict[str, Any] | None
    """What it left in `FASTFLOW_RESULT_FILE`; null in lists."""
    result_error: str
    """Why what it left there could not be read; empty when there is nothing to say."""
    result_error_message: Message | None
    error: ScriptError | None
    """The last error that the script printed, as far as it can be read out of its output; null unless it failed."""
    schedule: str | None
    nominal: InstantText | None
    """The instant it stands for."""
    backfill: str | None
    rerun_of: str | None
    """The run that it repeats because somebody wanted it once more."""
    rerun_as: list[str] | None
    """Runs that repeat it; null in lists."""
    usual: Usual | None
    """How long such a run takes; null in lists, and with fewer than five successes before."""
    upstream_runs: list[str]
    """Runs whose end asked for it."""
    downstream_runs: list[str] | None
    """Runs that its end asked for; null in lists."""
    waiting_for: WaitingFor | None
    """Null once it has started or is over."""
    unreachable: bool
    """Its runner gives no sign of life; it keeps its place until it is found again or given up as lost."""
    untrusted: str
    """Which of its facts cannot be read, so that nothing is decided about it any more; empty when it can be trusted."""
    untrusted_message: Message | None
    attempts: list[AttemptResponse] | None
    """One by one; null in lists, like secrets."""
    secrets: dict[str, int] | None
    """Name of each granted secret to its version."""
    cancel: CancelResponse | None
    """Who wanted it to end first; null in lists."""
    seq: int
    """Stream position of the fact that changed it last."""


_JSON = {"params", "soft_limits", "upstream_runs", "error", "reason_message", "result_error_message"}
_SAME = frozenset(RunResponse.__struct_fields__) & frozenset(RunRow.__struct_fields__) - _JSON


def show_run(
    row: RunRow,
    *,
    untrusted: Statement | None = None,
    waits: WaitingFor | None = None,
    downstream: list[str] | None = None,
    story: Story | None = None,
    reruns: list[str] | None = None,
    usual: Usual | None = None,
    unreachable: bool = False,
    commit: ShownCommit = UNKNOWN,
) -> RunResponse:
    """The row without its SQL, with what no row says."""
    return RunResponse(
        trigger=row.trigger_kind,
        commit=row.commit_sha,
        commit_subject=commit.subject,
        commit_author=commit.author,
        committed_at=commit.at,
        commit_url=commit.url,
        reason_message=message_of(row.reason_message),
        result_error_message=message_of(row.result_error_message),
        params=msgspec.json.decode(row.params),
        env=msgspec.json.decode(row.env_names),
        soft_limits=msgspec.json.decode(row.soft_limits),
        upstream_runs=msgspec.json.decode(row.upstream_runs),
        error=error_of(row),
        downstream_runs=downstream,
        waiting_for=waits,
        result=story.result if story and row.has_result else None,
        rerun_as=reruns,
        usual=usual,
        attempts=story.attempts if story else None,
        secrets=story.secrets if story else None,
        cancel=story.cancel if story else None,
        unreachable=unreachable,
        untrusted=str(untrusted or ""),
        untrusted_message=untrusted.message if untrusted is not None else None,
        **{**{name: getattr(row, name) for name in _SAME}, "cancel_requested": bool(row.cancel_requested)},
    )


def error_of(row: RunRow) -> ScriptError | None:
    """What the run's last attempt failed with."""
    return msgspec.json.decode(row.error, type=ScriptError) if row.error else None

"""How rows and facts look to people: JSON columns opened, values that may be secrets hidden."""

from datetime import datetime
from typing import Any

import msgspec
from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.fact import BrokenFact, Fact, ForeignFact, UnknownFact
from fastflow_events.message import Message, Statement
from fastflow_events.plain import fault_of
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_gateway.core.views.pipelines import PipelineRow, PipelineStatus
from fastflow_gateway.core.views.reasons import message_of
from fastflow_gateway.core.views.runs import RunRow, RunStatus

HIDDEN = "***"
_SECRETIVE = frozenset({"env", "sealed_env"})
_DROPPED = frozenset({"webhook_hash"})


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
    outcome: str | None
    reason: str
    """Why it waits, was refused or ended as it did."""
    reason_message: Message | None
    attempt: int
    trigger: str
    who: str
    commit: str | None
    branch: str
    """The branch whose head its code was; empty before it is dispatched, and when the commit was named."""
    commit_subject: str
    run_config_id: str | None
    params: dict[str, str]
    env: list[str]
    """Names only."""
    priority: int
    cancel_requested: bool
    requested_at: str
    started_at: str | None
    finished_at: str | None
    due: str | None
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
    nominal: str | None
    """The instant it stands for."""
    backfill: str | None
    rerun_of: str | None
    """The run that it repeats because somebody wanted it once more."""
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
    seq: int
    """Stream position of the fact that changed it last."""


class PipelineResponse(Struct, frozen=True, kw_only=True):
    """One pipeline at the head of its repository."""

    name: str
    repository: str
    status: PipelineStatus
    paused: bool
    errors: list[str]
    """Why it is invalid, one sentence each."""
    errors_messages: list[Message]
    commit: str
    tree: str
    definition: dict[str, Any] | None
    """What its pipeline.json says; null while it is invalid. Of `sealed_env` the names are shown."""
    untrusted: str
    """Which of its facts cannot be read, so that nothing is decided about it any more; empty when it can be trusted."""
    untrusted_message: Message | None
    seq: int


class FactResponse(Struct, frozen=True, kw_only=True):
    """One fact with its envelope."""

    seq: int
    id: str
    type: str
    aggregate: str
    aggregate_id: str
    version: int
    at: datetime
    source: str
    correlation_id: str
    causation_id: str | None
    data: dict[str, Any]


_JSON = {"params", "soft_limits", "upstream_runs", "error", "reason_message", "result_error_message"}
_SAME = frozenset(RunResponse.__struct_fields__) & frozenset(RunRow.__struct_fields__) - _JSON


def show_run(
    row: RunRow,
    *,
    untrusted: Statement | None = None,
    waits: WaitingFor | None = None,
    downstream: list[str] | None = None,
    result: dict[str, Any] | None = None,
    unreachable: bool = False,
) -> RunResponse:
    """The row without its SQL, with what no row says."""
    return RunResponse(
        trigger=row.trigger_kind,
        commit=row.commit_sha,
        reason_message=message_of(row.reason_message),
        result_error_message=message_of(row.result_error_message),
        params=msgspec.json.decode(row.params),
        env=msgspec.json.decode(row.env_names),
        soft_limits=msgspec.json.decode(row.soft_limits),
        upstream_runs=msgspec.json.decode(row.upstream_runs),
        error=error_of(row),
        downstream_runs=downstream,
        waiting_for=waits,
        result=result,
        unreachable=unreachable,
        untrusted=str(untrusted or ""),
        untrusted_message=untrusted.message if untrusted is not None else None,
        **{**{name: getattr(row, name) for name in _SAME}, "cancel_requested": bool(row.cancel_requested)},
    )


def error_of(row: RunRow) -> ScriptError | None:
    """What the run's last attempt failed with."""
    return msgspec.json.decode(row.error, type=ScriptError) if row.error else None


def show_pipeline(row: PipelineRow, *, untrusted: Statement | None = None) -> PipelineResponse:
    """The row without its SQL, and without what only helps to guess webhook keys, and without ciphertext."""
    return PipelineResponse(
        name=row.name,
        repository=row.repository,
        status=row.status,
        paused=bool(row.paused),
        errors=msgspec.json.decode(row.errors),
        errors_messages=msgspec.json.decode(row.errors_messages, type=list[Message]),
        commit=row.commit_sha,
        tree=row.tree,
        definition=_without_keys(msgspec.json.decode(row.definition)),
        untrusted=str(untrusted or ""),
        untrusted_message=untrusted.message if untrusted is not None else None,
        seq=row.seq,
    )


def show_fact(recorded: Recorded) -> FactResponse:
    """The fact with the values of environment variables hidden; their names stay."""
    return FactResponse(
        seq=recorded.seq,
        id=recorded.event_id,
        type=recorded.wire_type,
        aggregate=recorded.aggregate,
        aggregate_id=recorded.id,
        version=recorded.version,
        at=recorded.at,
        source=recorded.source,
        correlation_id=recorded.cause.correlation_id,
        causation_id=recorded.cause.causation_id,
        data=_hide(_plain(recorded.fact)),
    )


def _plain(fact: Fact) -> Any:
    match fact:
        case ForeignFact(said=stated, why=why):
            return {"does_not_count": why, "said": _plain(stated)}
        case BrokenFact(reason=reason, body=body):
            return {"unreadable": reason, "size_bytes": len(body)}
        case UnknownFact(body=body):
            try:
                value = msgspec.json.decode(body)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                value = None
            return value if isinstance(value, dict) and not fault_of(value) else {"unreadable": "it is no JSON object"}
        case _:
            return msgspec.to_builtins(fact)


def _hide(value: Any) -> Any:
    match value:
        case dict():
            return {key: _hide_member(key, member) for key, member in value.items() if key not in _DROPPED}
        case list() | tuple():
            return [_hide(member) for member in value]
        case _:
            return value


def _hide_member(key: str, member: Any) -> Any:
    match member:
        case dict() if key in _SECRETIVE:
            return dict.fromkeys(member, HIDDEN)
        case str() if key == "sealed":
            # Which key it is for helps; the rest would help only whoever has that key.
            return ":".join([*member.split(":")[:3], HIDDEN])
        case _:
            return _hide(member)


def _names(variables: Any) -> Any:
    return dict.fromkeys(variables, HIDDEN) if isinstance(variables, dict) else variables


def _without_keys(value: Any) -> Any:
    match value:
        case dict():
            kept = {key: member for key, member in value.items() if key not in _DROPPED}
            return {
                key: _names(member) if key == "sealed_env" else _without_keys(member) for key, member in kept.items()
            }
        case list():
            return [_without_keys(member) for member in value]
        case _:
            return value

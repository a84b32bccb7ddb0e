"""Table `runs`: one row per run, as people see it.

```
requested ─► queued ─► claimed: preparing ─► started: running ─► finished: succeeded | failed | cancelled
               │                                  └► retry_scheduled: waiting ─► claimed …
               └► rejected
```
"""

from collections.abc import Iterable

import msgspec
from fastflow_events.aggregates.run.endings import RunnerGone
from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunArtifactStored,
    RunAttemptFinished,
    RunCancelRequested,
    RunClaimed,
    RunDispatched,
    RunDispatchWithdrawn,
    RunFinished,
    RunHurried,
    RunLost,
    RunOutputTruncated,
    RunPrioritised,
    RunRejected,
    RunRequested,
    RunRetryScheduled,
    RunSoftLimitExceeded,
    RunStarted,
)
from fastflow_events.instants import held
from fastflow_events.message import Statement, retold
from fastflow_events.recorded import Recorded
from fastflow_events.types import Outcome
from fastflow_rules.queue.waits import Runner
from msgspec.structs import replace

from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.reasons import AttemptDue, CancelRequested, Ended, Rejected, wire_of
from fastflow_gateway.core.views.run_row import OVER, RunRow, RunStatus
from fastflow_gateway.core.views.steps import begun, stepped

__all__ = ["OVER", "RunRow", "RunStatus", "fold", "project", "status_of"]

_json = msgspec.json.Encoder(order="sorted")


def _requested(recorded: Recorded, fact: RunRequested) -> RunRow:
    trigger = fact.trigger
    upstream = list(trigger.upstream_runs) or ([trigger.upstream_run] if trigger.upstream_run else [])
    row = RunRow(
        id=recorded.id,
        seq=recorded.seq,
        requested_seq=recorded.seq,
        pipeline=fact.pipeline,
        status="queued",
        requested_at=text_of(recorded.at),
        trigger_kind=trigger.kind,
        who=trigger.who,
        commit_sha=fact.commit,
        run_config_id=fact.run_config_id,
        params=_json.encode(fact.params).decode() if fact.params else "{}",
        env_names=_json.encode(sorted(fact.env)).decode() if fact.env else "[]",
        priority=fact.priority,
        upstream_run=trigger.upstream_run,
        upstream_runs=_json.encode(upstream).decode() if upstream else "[]",
        schedule=trigger.schedule,
        nominal=text_of(held(trigger.nominal)) if trigger.nominal else None,
        backfill=trigger.backfill,
        rerun_of=trigger.rerun_of,
    )
    return begun(row, recorded.at)


def _because(row: RunRow, reason: Statement | None) -> RunRow:
    return replace(row, reason=str(reason or ""), reason_message=wire_of(reason))


def status_of(outcome: Outcome) -> RunStatus:
    """The word people see for how a run ended; the outcome itself stays as the reason."""
    return outcome if outcome in ("succeeded", "cancelled") else "failed"


def project(row: RunRow | None, recorded: Recorded) -> RunRow | None:
    """The row after `recorded`; None while no request is known. Total: never refuses a fact."""
    fact = recorded.fact
    if row is None:
        return _requested(recorded, fact) if isinstance(fact, RunRequested) else None
    if row.status in OVER:
        return row
    return stepped(row, _next(row, recorded), recorded)


def _next(row: RunRow, recorded: Recorded) -> RunRow:
    fact, seq = recorded.fact, recorded.seq
    match fact:
        case RunDispatched():
            if row.cancel_requested or row.status not in ("queued", "waiting"):
                return row
            row = replace(row, branch=fact.specification.branch, attempt=fact.attempt)
            row = _because(row, Runner())
            return replace(row, seq=seq, status="queued", dispatched=1, due=None)
        case RunClaimed():
            row = replace(_because(row, None), seq=seq, status="preparing", runner=fact.runner, attempt=fact.attempt)
            row = replace(row, started_at=None, finished_at=None, exit_code=None, signal=None, container=None)
            return replace(
                row, dispatched=0, route=None, has_result=0, result_error="", result_error_message="", error=None
            )
        case RunStarted():
            return _started(replace(row, seq=seq, status="running", started_at=text_of(fact.started_at)), fact)
        case RunAttemptFinished():
            return _attempt_finished(row, recorded, fact)
        case RunFinished():
            return _finished(replace(row, seq=seq, finished_at=row.finished_at or text_of(recorded.at)), fact)
        case _:
            return _seldom(row, recorded)


def _seldom(row: RunRow, recorded: Recorded) -> RunRow:
    fact, seq = recorded.fact, recorded.seq
    match fact:
        case RunRejected():
            at = text_of(recorded.at)
            row = _because(row, Rejected(fact.reason, retold(fact.detail, fact.detail_message)))
            return replace(row, seq=seq, status="rejected", finished_at=at)
        case RunDispatchWithdrawn():
            row = _because(row, retold(fact.reason, fact.reason_message))
            return replace(row, seq=seq, status="queued", dispatched=0)
        case RunAdopted():
            return replace(row, seq=seq, runner=fact.runner)
        case RunLost():
            return replace(_because(row, RunnerGone(fact.runner)), seq=seq)
        case RunRetryScheduled():
            row = _because(row, AttemptDue(fact.attempt))
            return replace(row, seq=seq, status="waiting", due=text_of(fact.due))
        case RunCancelRequested():
            why = retold(fact.why, fact.why_message) if fact.why else CancelRequested(fact.who)
            return replace(_because(row, why), seq=seq, cancel_requested=1)
        case RunPrioritised():
            return replace(row, seq=seq, priority=fact.priority)
        case RunHurried():
            return replace(row, seq=seq, due=None)
        case RunOutputTruncated():
            return replace(row, seq=seq, dropped_bytes=fact.dropped_bytes)
        case RunArtifactStored():
            return replace(row, seq=seq, artifacts=row.artifacts + 1)
        case RunSoftLimitExceeded():
            kinds = {*msgspec.json.decode(row.soft_limits), fact.kind}
            return replace(row, seq=seq, soft_limits=_json.encode(sorted(kinds)).decode())
        case _:
            return row


def _finished(row: RunRow, fact: RunFinished) -> RunRow:
    if fact.detail:
        row = _because(row, retold(fact.detail, fact.detail_message))
    elif fact.outcome == "succeeded":
        row = _because(row, None)
    elif not row.reason:
        row = _because(row, Ended(fact.outcome))
    return replace(row, status=status_of(fact.outcome), outcome=fact.outcome, dispatched=0, due=None)


def _started(row: RunRow, fact: RunStarted) -> RunRow:
    made = fact.manifest
    return replace(
        row,
        executor=made.executor,
        container=made.container,
        image=made.image or None,
        environment=made.environment or None,
        prepare_s=made.prepare_s,
    )


def _attempt_finished(row: RunRow, recorded: Recorded, fact: RunAttemptFinished) -> RunRow:
    row = _because(row, retold(fact.detail, fact.detail_message) if fact.detail else None)
    error = retold(fact.result_error, fact.result_error_message) if fact.result_error else None
    return replace(
        row,
        seq=recorded.seq,
        finished_at=text_of(fact.finished_at or recorded.at),
        exit_code=fact.exit_code,
        signal=fact.signal,
        peak_memory_bytes=fact.peak_memory_bytes,
        cpu_s=fact.cpu_s,
        output_lines=fact.output_lines,
        output_bytes=fact.output_bytes,
        peak_cpus=fact.peak_cpus,
        received_bytes=fact.received_bytes,
        sent_bytes=fact.sent_bytes,
        read_bytes=fact.read_bytes,
        written_bytes=fact.written_bytes,
        route=fact.route,
        has_result=int(fact.result is not None),
        result_error=str(error or ""),
        result_error_message=wire_of(error),
        error=_json.encode(fact.error).decode() if fact.error else None,
    )


def fold(history: Iterable[Recorded]) -> RunRow | None:
    """The row after a whole history, oldest first."""
    row: RunRow | None = None
    for recorded in history:
        row = project(row, recorded)
    return row

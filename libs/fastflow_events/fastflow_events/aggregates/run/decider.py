"""The rules of a run: one table, readable top to bottom."""

from msgspec.structs import replace

from fastflow_events.absent import NoSuchRun
from fastflow_events.aggregates.run.commands import (
    AdoptAttempt,
    ClaimAttempt,
    ConcludeRun,
    DispatchAttempt,
    FinishAttempt,
    Holder,
    HurryRun,
    LoseAttempt,
    PrioritiseRun,
    RejectRun,
    ReportAttempt,
    RequestCancel,
    RequestRun,
    RunCommand,
    StartAttempt,
    WithdrawDispatch,
)
from fastflow_events.aggregates.run.endings import CancelledUnstarted, cancelled
from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunCancelRequested,
    RunClaimed,
    RunDispatched,
    RunDispatchWithdrawn,
    RunFinished,
    RunHurried,
    RunLost,
    RunPrioritised,
    RunRejected,
    RunRetryScheduled,
    RunStarted,
)
from fastflow_events.aggregates.run.state import HELD, OVER, UNCLAIMED, Run, evolve, may_adopt, subject_of_report
from fastflow_events.decider import Decider
from fastflow_events.errors import FencedError, NotActiveError, NotFoundError
from fastflow_events.fact import Fact
from fastflow_events.message import Statement, beside, retold
from fastflow_events.types import Outcome


def decide(command: RunCommand, run: Run) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so".

    Raises:
        NotFoundError: the run was never requested.
        NotActiveError: the run, or the attempt, is over or not yet there.
        FencedError: the attempt belongs to somebody else.
    """
    match command:
        case RequestRun():
            return [command.request] if run.phase == "absent" else []
        case _ if run.phase == "absent":
            raise NotFoundError(NoSuchRun())
        case ConcludeRun():
            return _conclude(command, run)
        case _ if run.phase in OVER:
            return _after_the_end(command, run)
        case RequestCancel():
            already = run.cancelled in ("user", command.kind)
            return [] if already else [_cancel(command)]
        case PrioritiseRun():
            return [RunPrioritised(priority=command.priority, who=command.who)]
        case HurryRun():
            return [RunHurried(who=command.who)] if run.phase == "waiting" else []
        case RejectRun() if run.phase == "queued":
            return [_rejected(command)]
        case DispatchAttempt() if run.phase in ("queued", "waiting") and not run.cancelled:
            specification = run.specification or command.specification
            attempt = run.next_attempt
            dispatched = RunDispatched(
                attempt=attempt,
                pool=command.pool,
                term=command.term,
                specification=specification,
                group=command.group,
            )
            return [dispatched]
        case WithdrawDispatch() if run.phase == "dispatched" and run.attempt == command.attempt:
            return [_withdrawn(command)]
        case LoseAttempt() if run.phase in HELD and run.attempt == command.attempt and run.holder:
            lost = RunLost(attempt=run.attempt, runner=run.holder.runner, last_heartbeat=command.last_heartbeat)
            return [lost]
        case ClaimAttempt() | AdoptAttempt() | StartAttempt() | ReportAttempt() | FinishAttempt():
            return _as_holder(command, run)
        case _:
            raise NotActiveError(f"the run is {run.phase}, so this cannot happen now", attempt=run.attempt)


def _rejected(command: RejectRun) -> RunRejected:
    return RunRejected(reason=command.reason, detail=str(command.detail), detail_message=beside(command.detail))


def _withdrawn(command: WithdrawDispatch) -> RunDispatchWithdrawn:
    reason = command.reason
    return RunDispatchWithdrawn(attempt=command.attempt, reason=str(reason), reason_message=beside(reason))


def _cancel(command: RequestCancel) -> RunCancelRequested:
    return RunCancelRequested(
        who=command.who,
        why=str(command.why),
        why_message=beside(command.why) if isinstance(command.why, Statement) else None,
        kind=command.kind,
        schedule=command.schedule,
        nominal=command.nominal,
    )


def _finished(run: Run, outcome: Outcome, detail: Statement | None) -> RunFinished:
    return RunFinished(
        outcome=outcome,
        attempt=run.attempt or None,
        detail=str(detail or ""),
        detail_message=beside(detail),
    )


def _conclude(command: ConcludeRun, run: Run) -> list[Fact]:
    if run.phase in OVER:
        return []
    if run.cancelled and run.phase in UNCLAIMED:
        return [_finished(run, "cancelled", CancelledUnstarted())]
    if run.phase != "ended":
        raise NotActiveError(f"the run is {run.phase}, so it cannot be concluded", attempt=run.attempt)
    assert run.outcome is not None
    if command.retry_due is not None and not run.cancelled:
        return [RunRetryScheduled(attempt=run.attempt + 1, due=command.retry_due)]
    if run.cancelled and run.outcome == "lost":
        return [_finished(run, "cancelled", cancelled(run.why))]
    return [_finished(run, run.outcome, run.why)]


def _after_the_end(command: RunCommand, run: Run) -> list[Fact]:
    if isinstance(command, FinishAttempt) and command.finished.attempt == run.attempt and run.outcome != "lost":
        return []
    raise NotActiveError("the run is already over", outcome=run.outcome)


def _as_holder(
    command: ClaimAttempt | AdoptAttempt | StartAttempt | ReportAttempt | FinishAttempt, run: Run
) -> list[Fact]:
    match command:
        case ClaimAttempt(attempt=attempt, holder=me) if run.phase == "dispatched" and attempt == run.attempt:
            if run.cancelled:
                raise NotActiveError("the run was cancelled before it was claimed")
            return [
                RunClaimed(
                    attempt=attempt, runner=me.runner, incarnation=me.incarnation, engine=me.engine, heir=command.heir
                )
            ]
        case ClaimAttempt(attempt=attempt, holder=me):
            if run.phase in HELD and attempt == run.attempt:
                _must_hold(run, me)
                return []
            raise NotActiveError("this dispatch is no longer valid", attempt=attempt)
        case AdoptAttempt(attempt=attempt, holder=me):
            _must_be_open(run, attempt)
            if run.holder == me:
                return []
            if run.holder is None or run.holder.engine != me.engine:
                raise FencedError("the attempt runs on another engine", attempt=attempt)
            adopted = RunAdopted(
                attempt=attempt,
                runner=me.runner,
                incarnation=me.incarnation,
                engine=me.engine,
                proof=command.proof,
                heir=command.heir,
            )
            if not may_adopt(run, adopted):
                raise FencedError("whoever adopts it has to show that it shares the holder's key", attempt=attempt)
            return [adopted]
        case StartAttempt(attempt=attempt, holder=me):
            _must_be_open(run, attempt)
            _must_hold(run, me)
            if run.phase == "started":
                return []
            return [
                RunStarted(attempt=attempt, runner=me.runner, manifest=command.manifest, started_at=command.started_at)
            ]
        case ReportAttempt(report=report, more=more, holder=me):
            for fact in (report, *more):
                _must_be_open(run, fact.attempt)
                _must_say(fact.runner, me)
            _must_hold(run, me)
            return [fact for fact in (report, *more) if subject_of_report(fact) not in run.told]
        case FinishAttempt(finished=finished, holder=me):
            if run.phase == "ended" and run.outcome != "lost" and (run.attempt, run.holder) == (finished.attempt, me):
                return []
            _must_be_open(run, finished.attempt)
            _must_say(finished.runner, me)
            _must_hold(run, me)
            if run.cancelled:
                why = cancelled(retold(finished.detail, finished.detail_message) if finished.detail else None)
                return [replace(finished, outcome="cancelled", detail=str(why), detail_message=beside(why))]
            return [finished]


def _must_be_open(run: Run, attempt: int) -> None:
    if run.phase not in HELD or run.attempt != attempt:
        raise FencedError("the attempt is not open any more", attempt=attempt)


def _must_hold(run: Run, me: Holder) -> None:
    if run.holder != me:
        raise FencedError("the attempt belongs to another runner", attempt=run.attempt)


def _must_say(runner: str, me: Holder) -> None:
    """A runner speaks in its own name only; in another's it would not be believed."""
    if runner != me.runner:
        raise FencedError(f"{me.runner} says what only {runner} may say")


run_decider: Decider[RunCommand, Run] = Decider(aggregate="run", initial=Run(), decide=decide, evolve=evolve)

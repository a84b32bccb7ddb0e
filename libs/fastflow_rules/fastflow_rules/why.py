"""Why a run is as it is: the chain of causes from its trigger to now, in words, from the facts alone. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunAttemptFinished,
    RunCancelRequested,
    RunClaimed,
    RunDispatched,
    RunDispatchWithdrawn,
    RunFinished,
    RunHurried,
    RunLost,
    RunPrioritised,
    RunRejected,
    RunRequested,
    RunRetryScheduled,
    RunStarted,
    Trigger,
)
from fastflow_events.fact import Fact
from fastflow_events.message import Message, Statement, Verbatim, retold
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_rules import causes


class Line(Struct, frozen=True, kw_only=True):
    """One cause, as a sentence."""

    run: str
    at: datetime
    text: str
    text_message: Message
    fact: str
    """Id of the fact that tells it."""


def story(histories: Iterable[Sequence[Recorded]]) -> list[Line]:
    """What happened to each run, the ones that caused others first; facts that explain nothing are left out."""
    lines = []
    for history in histories:
        for recorded in history:
            meant = meaning(recorded.fact)
            if meant is not None:
                line = Line(
                    run=recorded.id,
                    at=recorded.at,
                    text=str(meant),
                    text_message=meant.message,
                    fact=recorded.event_id,
                )
                lines.append(line)
    return lines


def caused_by(history: Sequence[Recorded]) -> list[str]:
    """The runs that this one follows, or repeats."""
    first = history[0].fact if history else None
    if not isinstance(first, RunRequested):
        return []
    trigger = first.trigger
    one = trigger.upstream_run or trigger.rerun_of
    return list(trigger.upstream_runs) or ([one] if one else [])


def meaning(fact: Fact) -> Statement | None:
    """What the fact means for the run; None when it explains nothing."""
    match fact:
        case RunRequested():
            return _asked(fact.trigger, fact.pipeline)
        case RunRejected():
            return causes.Refused(fact.reason, retold(fact.detail, fact.detail_message))
        case RunDispatched():
            return causes.Admitted(fact.attempt, fact.pool)
        case RunDispatchWithdrawn():
            return causes.Withdrawn(fact.attempt, retold(fact.reason, fact.reason_message))
        case RunClaimed():
            return causes.Taken(fact.runner, fact.attempt)
        case RunAdopted():
            return causes.TakenOver(fact.runner, fact.attempt)
        case RunStarted():
            return causes.Started(fact.attempt)
        case RunAttemptFinished():
            remarks = _remarks(fact)
            ended = causes.AttemptEnded(fact.attempt, fact.outcome)
            return causes.AttemptEndedSo(fact.attempt, fact.outcome, remarks) if remarks else ended
        case RunLost():
            return causes.Lost(fact.attempt, fact.runner)
        case RunRetryScheduled():
            return causes.RetryDue(fact.attempt, _instant(fact.due))
        case RunCancelRequested() if fact.why:
            return causes.EndWantedBecause(fact.who, retold(fact.why, fact.why_message))
        case RunCancelRequested():
            return causes.EndWanted(fact.who)
        case RunPrioritised():
            return causes.Prioritised(fact.who, fact.priority)
        case RunHurried():
            return causes.Hurried(fact.who)
        case RunFinished() if fact.detail:
            return causes.OverBecause(fact.outcome, retold(fact.detail, fact.detail_message))
        case RunFinished():
            return causes.Over(fact.outcome)
        case _:
            return None


def _asked(trigger: Trigger, pipeline: str) -> Statement:
    nominal = _instant(trigger.nominal) if trigger.nominal else ""
    who = Verbatim(trigger.who) if trigger.who else causes.Somebody()
    match trigger.kind:
        case "schedule" if nominal:
            return causes.ScheduleMeant(str(trigger.schedule), nominal, pipeline)
        case "schedule":
            return causes.ScheduleAsked(str(trigger.schedule), pipeline)
        case "chain" if trigger.upstream_runs:
            return causes.RunsAsked(trigger.upstream_runs, pipeline)
        case "chain":
            return causes.EndAsked(str(trigger.upstream_run), trigger.who, pipeline)
        case "backfill" if nominal:
            return causes.BackfillMeant(str(trigger.backfill), nominal, pipeline)
        case "backfill":
            return causes.BackfillAsked(str(trigger.backfill), pipeline)
        case "daemon_restart":
            by = Verbatim(trigger.who) if trigger.who else causes.Restart()
            after = trigger.upstream_run
            return causes.AskedAfter(by, after, pipeline) if after else causes.WhoAsked(by, pipeline)
        case kind if trigger.rerun_of:
            return causes.AskedOnceMore(who, kind, trigger.rerun_of, pipeline)
        case kind:
            return causes.AskedOver(who, kind, pipeline)


def _remarks(fact: RunAttemptFinished) -> tuple[Statement, ...]:
    remarks: list[Statement] = [Verbatim(fact.error.in_words)] if fact.error else []
    remarks += [causes.ExitCode(fact.exit_code)] if fact.exit_code else []
    remarks += [retold(fact.detail, fact.detail_message)] if fact.detail else []
    remarks += [causes.Route(fact.route)] if fact.route else []
    error = retold(fact.result_error, fact.result_error_message)
    remarks += [causes.ResultNotKept(error)] if fact.result_error else []
    return tuple(remarks)


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")

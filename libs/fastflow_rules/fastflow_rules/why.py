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
from fastflow_events.recorded import Recorded
from msgspec import Struct


class Line(Struct, frozen=True, kw_only=True):
    """One cause, as a sentence."""

    run: str
    at: datetime
    text: str
    fact: str
    """Id of the fact that tells it."""


def story(histories: Iterable[Sequence[Recorded]]) -> list[Line]:
    """What happened to each run, the ones that caused others first; facts that explain nothing are left out."""
    lines = []
    for history in histories:
        for recorded in history:
            text = sentence(recorded.fact)
            if text is not None:
                lines.append(Line(run=recorded.id, at=recorded.at, text=text, fact=recorded.event_id))
    return lines


def caused_by(history: Sequence[Recorded]) -> list[str]:
    """The runs that this one follows, or repeats."""
    first = history[0].fact if history else None
    if not isinstance(first, RunRequested):
        return []
    trigger = first.trigger
    one = trigger.upstream_run or trigger.rerun_of
    return list(trigger.upstream_runs) or ([one] if one else [])


def sentence(fact: Fact) -> str | None:
    """What the fact means for the run; None when it explains nothing."""
    match fact:
        case RunRequested():
            return f"{_asked(fact.trigger)} for a run of {fact.pipeline}"
        case RunRejected():
            return f"refused ({fact.reason}): {fact.detail}"
        case RunDispatched():
            return f"attempt {fact.attempt} was admitted and waits for a runner of pool {fact.pool}"
        case RunDispatchWithdrawn():
            return f"attempt {fact.attempt} went back into the queue: {fact.reason}"
        case RunClaimed():
            return f"runner {fact.runner} took attempt {fact.attempt} and prepares it"
        case RunAdopted():
            return f"runner {fact.runner} went on with attempt {fact.attempt} after a restart"
        case RunStarted():
            return f"the script of attempt {fact.attempt} was started"
        case RunAttemptFinished():
            return f"attempt {fact.attempt} ended: {fact.outcome}" + _detail(fact)
        case RunLost():
            return f"attempt {fact.attempt} was lost: runner {fact.runner} did not come back"
        case RunRetryScheduled():
            return f"attempt {fact.attempt} is due at {_instant(fact.due)}"
        case RunCancelRequested():
            return f"{fact.who} asked for its end" + (f": {fact.why}" if fact.why else "")
        case RunPrioritised():
            return f"{fact.who} gave it priority {fact.priority}"
        case RunHurried():
            return f"{fact.who} wanted its next attempt at once"
        case RunFinished():
            return f"it is over: {fact.outcome}" + (f", {fact.detail}" if fact.detail else "")
        case _:
            return None


def _asked(trigger: Trigger) -> str:
    meant = f", meant for {_instant(trigger.nominal)}, asked" if trigger.nominal else " asked"
    match trigger.kind:
        case "schedule":
            return f"schedule {trigger.schedule}{meant}"
        case "chain" if trigger.upstream_runs:
            return f"the runs {', '.join(trigger.upstream_runs)} together asked"
        case "chain":
            return f"the end of run {trigger.upstream_run} of {trigger.who} asked"
        case "backfill":
            return f"backfill {trigger.backfill}{meant}"
        case "daemon_restart":
            after = f" after run {trigger.upstream_run}" if trigger.upstream_run else ""
            return f"{trigger.who or 'a restart'}{after} asked"
        case kind if trigger.rerun_of:
            return f"{trigger.who or 'somebody'} asked over {kind} for run {trigger.rerun_of} once more, that is"
        case kind:
            return f"{trigger.who or 'somebody'} asked over {kind}"


def _detail(fact: RunAttemptFinished) -> str:
    parts = [fact.error.in_words] if fact.error else []
    parts += [f"exit code {fact.exit_code}"] if fact.exit_code else []
    parts += [fact.detail] if fact.detail else []
    parts += [f"route {fact.route}"] if fact.route else []
    parts += [f"its result was not kept: {fact.result_error}"] if fact.result_error else []
    return f" ({'; '.join(parts)})" if parts else ""


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")

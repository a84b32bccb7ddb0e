"""One trace of each run, derived from its facts: the same facts make the same trace, whoever derives it. Pure.

A trace that a caller began is continued; else its id follows from the run's, and a run of a chain is linked to the run
that it follows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from fastflow_events.aggregates.run.events import (
    RunAttemptFinished,
    RunClaimed,
    RunFinished,
    RunLost,
    RunRejected,
    RunRequested,
    RunRetryScheduled,
    RunStarted,
)
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_gateway.core.trace_context import read_traceparent

_PARTS = 4


class Place(NamedTuple):
    """A span of a trace."""

    trace: str
    span: str


class Span(Struct, frozen=True, kw_only=True):
    """A part of a run."""

    place: Place
    parent: str | None
    name: str
    since: datetime
    until: datetime
    attributes: dict[str, str | int]
    links: tuple[Place, ...] = ()
    failed: str = ""
    """Why it did not go well; empty when it did."""


def root_of(run_id: str, traceparent: str | None) -> Place:
    """The span that is the whole run."""
    trace = _caller(traceparent)[0] or _hex(32, "trace", run_id)
    return Place(trace, _hex(16, "run", run_id))


def spans_of(history: Sequence[Recorded]) -> list[Span]:
    """The spans of a run that is over, the whole first; `[]` for one that is not."""
    if not history or not isinstance(request := history[0].fact, RunRequested):
        return []
    end = next((r for r in history if isinstance(r.fact, RunFinished | RunRejected)), None)
    if end is None:
        return []
    run_id, traceparent = history[0].id, history[0].cause.traceparent
    root = root_of(run_id, traceparent)
    outcome = end.fact.outcome if isinstance(end.fact, RunFinished) else "rejected"
    upstream = request.trigger.upstream_runs or (
        (request.trigger.upstream_run,) if request.trigger.upstream_run else ()
    )
    whole = Span(
        place=root,
        parent=_caller(traceparent)[1],
        name=f"run {request.pipeline}",
        since=history[0].at,
        until=max(history[0].at, end.at),
        attributes={
            "fastflow.run": run_id,
            "fastflow.pipeline": request.pipeline,
            "fastflow.trigger": request.trigger.kind,
            "fastflow.outcome": outcome,
            **({"fastflow.commit": request.commit} if request.commit else {}),
        },
        links=tuple(root_of(each, traceparent) for each in upstream),
        failed="" if outcome == "succeeded" else outcome,
    )
    return [whole, *_parts(history, run_id, root)]


def _parts(history: Sequence[Recorded], run_id: str, root: Place) -> list[Span]:
    found: list[Span] = []
    begin, attempt = history[0].at, 1

    def add(name: str, until: datetime, *, failed: str = "", **more: str | int) -> None:
        nonlocal begin
        place = Place(root.trace, _hex(16, name, str(attempt), run_id))
        attributes: dict[str, str | int] = {"fastflow.attempt": attempt, **more}
        until = max(begin, until)
        found.append(
            Span(
                place=place, parent=root.span, name=name, since=begin, until=until, attributes=attributes, failed=failed
            )
        )
        begin = until

    started = False
    for recorded in history:
        match recorded.fact:
            case RunRetryScheduled():
                begin, attempt = recorded.at, recorded.fact.attempt
            case RunClaimed():
                attempt, started = recorded.fact.attempt, False
                add("queued", recorded.at)
            case RunStarted() as fact:
                started = True
                manifest = fact.manifest
                prepared = min(fact.started_at, begin + timedelta(seconds=max(0.0, manifest.prepare_s)))
                add("environment", prepared, **{"fastflow.environment": manifest.environment or "none"})
                add(
                    "start", fact.started_at, **{"fastflow.runner": fact.runner, "fastflow.executor": manifest.executor}
                )
            case RunAttemptFinished() as fact:
                failed = "" if fact.outcome == "succeeded" else fact.outcome
                exit_code = {"fastflow.exit_code": fact.exit_code} if fact.exit_code is not None else {}
                add("run" if started else "prepare", fact.finished_at or recorded.at, failed=failed, **exit_code)
                if started:
                    add("collect", recorded.at)
            case RunLost():
                add("run" if started else "prepare", recorded.at, failed="lost")
            case _:
                pass
    return found


def _caller(traceparent: str | None) -> tuple[str | None, str | None]:
    """Trace and span of whoever asked for the run."""
    parts = (read_traceparent(traceparent) or "").split("-")
    return (parts[1], parts[2]) if len(parts) == _PARTS else (None, None)


def _hex(length: int, *parts: str) -> str:
    return sha256("\0".join(("fastflow", *parts)).encode()).hexdigest()[:length]

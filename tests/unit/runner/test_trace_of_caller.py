"""The trace of whoever asked for a run is what its script goes on with."""

from typing import Any

from fastflow_events.recorded import Cause, History, Recorded
from fastflow_events.testing.builders import NOON, RUNNER, run_claimed, run_dispatched, run_requested, specification
from fastflow_runner.attempt import context_of
from fastflow_runner.core.unsealing import Opened
from fastflow_runner.phases.start import env_of
from fastflow_runner.ports import AttemptRef

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def env(traceparent: str | None, **more: Any) -> dict[str, str]:
    asked = Cause(correlation_id="c", traceparent=traceparent)
    facts = (run_requested(), run_dispatched(specification=specification(**more)), run_claimed())
    recorded = tuple(
        Recorded(seq=n, aggregate="run", id="r1", version=n, at=NOON, source="/t", cause=asked, fact=fact)
        for n, fact in enumerate(facts, start=1)
    )
    context = context_of(
        History(aggregate="run", id="r1", recorded=recorded), AttemptRef(run_id="r1", attempt=1), RUNNER
    )
    return env_of(context, Opened())


def test_the_script_finds_the_trace_of_its_caller() -> None:
    assert env(CALLER)["TRACEPARENT"] == CALLER


def test_a_pipeline_may_say_another_trace() -> None:
    assert env(CALLER, env={"TRACEPARENT": "own"})["TRACEPARENT"] == "own"


def test_without_a_caller_that_traces_there_is_none() -> None:
    assert "TRACEPARENT" not in env(None)

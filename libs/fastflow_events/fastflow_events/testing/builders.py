"""Valid objects with defaults; a test overrides only what it is about."""

from datetime import UTC, datetime
from typing import Any

from fastflow_events.aggregates.pipeline.events import PipelineDiscovered, PipelineVersionStored
from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.aggregates.run.events import (
    RunAttemptFinished,
    RunCancelRequested,
    RunClaimed,
    RunDispatched,
    RunFinished,
    RunRequested,
    RunRetryScheduled,
    RunStarted,
    Trigger,
)
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.fact import Fact
from fastflow_events.nats.leases import Heartbeat
from fastflow_events.recorded import Cause

COMMIT = "c" * 40
TREE = "7" * 40
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CAUSE = Cause(correlation_id="test")
RUNNER = "runner-1"


def holder(runner: str = RUNNER, incarnation: str = "i1", engine: str = "e1") -> Holder:
    """A runner's process."""
    return Holder(runner=runner, incarnation=incarnation, engine=engine)


def specification(**more: Any) -> Specification:
    """What an attempt of pipeline `hello` executes."""
    return Specification(**{"pipeline": "hello", "repository": "main", "commit": COMMIT, "tree": TREE, **more})


def run_requested(**more: Any) -> RunRequested:
    """Somebody wants `hello` to run."""
    return RunRequested(**{"pipeline": "hello", "trigger": Trigger(kind="http", who="ann"), "commit": COMMIT, **more})


def run_dispatched(attempt: int = 1, **more: Any) -> RunDispatched:
    """An attempt waits for a runner."""
    return RunDispatched(**{"attempt": attempt, "pool": "default", "term": 1, "specification": specification(), **more})


def run_claimed(attempt: int = 1, **more: Any) -> RunClaimed:
    """A runner holds the attempt."""
    return RunClaimed(**{"attempt": attempt, "runner": RUNNER, "incarnation": "i1", "engine": "e1", **more})


def run_started(attempt: int = 1, **more: Any) -> RunStarted:
    """User code runs."""
    manifest = Manifest(executor="process", container="c1")
    return RunStarted(**{"attempt": attempt, "runner": RUNNER, "manifest": manifest, "started_at": NOON, **more})


def attempt_finished(attempt: int = 1, **more: Any) -> RunAttemptFinished:
    """The attempt ended well."""
    return RunAttemptFinished(**{"attempt": attempt, "runner": RUNNER, "outcome": "succeeded", "exit_code": 0, **more})


def second_attempt() -> tuple[Fact, ...]:
    """The first attempt failed, and user code of the second runs."""
    failed = attempt_finished(outcome="failed", exit_code=1)
    return failed, RunRetryScheduled(attempt=2, due=NOON), run_dispatched(2), run_claimed(2), run_started(2)


def cancel_requested(**more: Any) -> RunCancelRequested:
    """Ann wants the run to end."""
    return RunCancelRequested(**{"who": "ann", **more})


def run_finished(**more: Any) -> RunFinished:
    """The run is over."""
    return RunFinished(**{"outcome": "succeeded", "attempt": 1, **more})


def pipeline_discovered(**more: Any) -> PipelineDiscovered:
    """`hello` appeared."""
    return PipelineDiscovered(**{"repository": "main", "commit": COMMIT, "tree": TREE, "definition": {}, **more})


def version_stored(**more: Any) -> PipelineVersionStored:
    """The code of `hello` is stored."""
    stored = {"repository": "main", "commit": COMMIT, "tree": TREE, "definition": {}}
    return PipelineVersionStored(**{**stored, "bundle_sha256": "0" * 64, "bundle_bytes": 1, **more})


def heartbeat(runner: str, **more: Any) -> Heartbeat:
    """A runner is alive."""
    usual = {"incarnation": "i1", "engine": "e1", "executor": "process", "slots": 4, "running": 0, "version": "0"}
    return Heartbeat(**{**usual, "runner": runner, "pools": ("default",), "at": NOON, **more})

"""The first lock of an input is the lock of all later installations."""

import pytest
from fastflow_events.environment.commands import EnvironmentCommand, RecordFailed, RecordPrepared
from fastflow_events.environment.decider import LockDecidedError, environment_decider
from fastflow_events.environment.events import EnvironmentFailed, EnvironmentPrepared
from fastflow_events.fact import Fact


def prepared(engine: str = "e1", lock: str = "requests==2") -> EnvironmentPrepared:
    return EnvironmentPrepared(engine=engine, environment="h1", lock=lock, python="3.11", uv="0.9", prepare_s=1)


def when(command: EnvironmentCommand, given: list[Fact]) -> list[Fact]:
    return environment_decider.decide(command, environment_decider.fold(given))


def test_a_preparation_is_said_once_per_engine() -> None:
    assert when(RecordPrepared(prepared=prepared()), []) == [prepared()]
    assert when(RecordPrepared(prepared=prepared()), [prepared()]) == []
    assert when(RecordPrepared(prepared=prepared("e2")), [prepared()]) == [prepared("e2")]


def test_another_lock_for_the_same_input_is_refused() -> None:
    with pytest.raises(LockDecidedError):
        when(RecordPrepared(prepared=prepared("e2", "requests==3")), [prepared()])


def test_a_failure_is_said_once_per_reason_and_forgotten_after_a_success() -> None:
    failed = EnvironmentFailed(engine="e1", reason="no such package")
    command = RecordFailed(failed=failed)
    assert when(command, []) == [failed]
    assert when(command, [failed]) == []
    assert when(command, [failed, prepared()]) == [failed]

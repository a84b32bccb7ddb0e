"""The first lock of an input is the lock of all later installations."""

import pytest
from fastflow_events.aggregates.environment.commands import (
    EnvironmentCommand,
    RecordDeleted,
    RecordFailed,
    RecordPrepared,
    RefreshEnvironment,
    RetireEnvironments,
)
from fastflow_events.aggregates.environment.decider import LockDecidedError, environment_decider
from fastflow_events.aggregates.environment.events import (
    EnvironmentDeleted,
    EnvironmentFailed,
    EnvironmentPrepared,
    EnvironmentRefreshed,
    EnvironmentRetired,
)
from fastflow_events.errors import NotFoundError
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


REFRESHED = EnvironmentRefreshed(who="ann")


def test_after_a_refresh_another_lock_is_the_lock_and_the_old_one_is_nobodys() -> None:
    refresh = RefreshEnvironment(who="ann")
    assert when(refresh, [prepared()]) == [REFRESHED]
    assert when(refresh, [prepared(), REFRESHED]) == []
    newer = prepared(lock="requests==3")
    assert when(RecordPrepared(prepared=newer, generation=1), [prepared(), REFRESHED]) == [newer]
    assert when(RecordPrepared(prepared=prepared(), generation=1), [prepared(), REFRESHED]) == [prepared()]
    assert when(refresh, [prepared(), REFRESHED, newer]) == [REFRESHED]


def test_who_looked_at_the_lock_before_a_refresh_has_to_look_again() -> None:
    with pytest.raises(LockDecidedError):
        when(RecordPrepared(prepared=prepared()), [prepared(), REFRESHED])


def test_what_nobody_prepared_cannot_be_refreshed_and_a_failure_is_tried_again_anyway() -> None:
    with pytest.raises(NotFoundError):
        when(RefreshEnvironment(who="ann"), [])
    assert when(RefreshEnvironment(who="ann"), [EnvironmentFailed(engine="e1", reason="no such package")]) == []


RETIRED = EnvironmentRetired(environments=("h1",), who="ann")
DELETED = EnvironmentDeleted(engine="e1", environment="h1", freed_bytes=7)


def test_only_what_is_there_is_retired_and_once() -> None:
    retire = RetireEnvironments(environments=("h1", "h2"), who="ann")
    assert when(retire, []) == []
    assert when(retire, [prepared()]) == [RETIRED]
    assert when(retire, [prepared(), RETIRED]) == []
    assert when(retire, [prepared(), REFRESHED]) == [RETIRED]
    assert when(retire, [prepared(), RETIRED, DELETED]) == []


def test_a_deletion_is_said_once_per_engine() -> None:
    command = RecordDeleted(deleted=DELETED)
    assert when(command, [prepared(), RETIRED]) == [DELETED]
    assert when(command, [prepared(), RETIRED, DELETED]) == []
    assert when(command, [prepared("e2"), RETIRED]) == []


def test_who_needs_what_was_retired_or_deleted_gets_the_same_lock_and_takes_it_back() -> None:
    for history in ([prepared(), RETIRED], [prepared(), RETIRED, DELETED]):
        with pytest.raises(LockDecidedError):
            when(RecordPrepared(prepared=prepared(lock="requests==3")), [*history])
        assert when(RecordPrepared(prepared=prepared()), [*history]) == [prepared()]
        state = environment_decider.fold([*history, prepared()])
        assert state.environments == {("e1", "h1")}
        assert not state.retired

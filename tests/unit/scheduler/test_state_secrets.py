"""The scheduler grants the newest version of a secret that is there, and knows no value."""

from fastflow_events.aggregates.secret.events import SecretRemoved, SecretSet
from fastflow_events.fact import Fact
from fastflow_events.recorded import Recorded
from fastflow_events.testing.builders import CAUSE, NOON
from fastflow_scheduler.core.state import SchedulerState


def after(*facts: tuple[str, Fact]) -> SchedulerState:
    state = SchedulerState()
    for seq, (name, fact) in enumerate(facts, start=1):
        state.apply(
            Recorded(
                seq=seq,
                aggregate="secret",
                id=name,
                version=seq,
                at=NOON,
                source="/fastflow/gateway/1",
                cause=CAUSE,
                fact=fact,
            )
        )
    return state


def was_set(version: int) -> SecretSet:
    return SecretSet(version=version, sealed="sealed text", who="ann")


def test_the_newest_version_counts_and_a_removed_secret_does_not() -> None:
    state = after(("A", was_set(1)), ("B", was_set(1)), ("A", was_set(2)), ("B", SecretRemoved(who="ann")))
    assert state.secrets.versions() == {"A": 2}
    assert state.secrets.table.dirty == {"A", "B"}


def test_a_secret_that_comes_back_goes_on_counting() -> None:
    state = after(("A", was_set(1)), ("A", SecretRemoved(who="ann")), ("A", was_set(2)))
    assert state.secrets.versions() == {"A": 2}


def test_the_book_writes_down_its_secrets_and_no_sealed_text() -> None:
    state = after(("A", was_set(1)))
    assert state.secrets.table in state.tables()
    assert "sealed text" not in repr(list(state.secrets.table.values()))

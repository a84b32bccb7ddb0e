"""Whatever is asked of a run, in whatever order."""

from fastflow_events.aggregates.run.commands import RunCommand
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import (
    RunAttemptFinished,
    RunCancelRequested,
    RunClaimed,
    RunDispatched,
    RunFinished,
    RunRejected,
    RunStarted,
)
from fastflow_events.aggregates.run.state import OVER
from fastflow_events.testing.run_stories import commands, stories, told
from hypothesis import given


@given(stories)
def test_a_run_ends_at_most_once_and_nothing_follows_its_end(story: list[RunCommand]) -> None:
    history = told(story)
    ends = [n for n, fact in enumerate(history) if isinstance(fact, RunFinished | RunRejected)]
    assert len(ends) <= 1
    assert not ends or ends[0] == len(history) - 1
    assert bool(ends) == (run_decider.fold(history).phase in OVER)


@given(stories)
def test_every_attempt_is_claimed_started_and_finished_at_most_once(story: list[RunCommand]) -> None:
    history = told(story)
    for kind in (RunClaimed, RunStarted, RunAttemptFinished):
        seen = [fact.attempt for fact in history if isinstance(fact, kind)]
        assert len(seen) == len(set(seen))


@given(stories)
def test_nothing_starts_or_succeeds_after_a_cancel(story: list[RunCommand]) -> None:
    history = told(story)
    cancels = [n for n, fact in enumerate(history) if isinstance(fact, RunCancelRequested)]
    if cancels:
        after = history[cancels[0] :]
        assert not any(isinstance(fact, RunDispatched | RunClaimed) for fact in after)
        ended_before = any(isinstance(fact, RunAttemptFinished) for fact in history[: cancels[0]])
        outcomes_after = [fact.outcome for fact in after if isinstance(fact, RunFinished)]
        assert ended_before or all(outcome == "cancelled" for outcome in outcomes_after)


@given(stories, commands)
def test_deciding_the_same_again_never_changes_what_was_decided(story: list[RunCommand], command: RunCommand) -> None:
    history = told([*story, command])
    assert told([*story, command, command])[: len(history)] == history

"""Whatever is asked of a run, in whatever order."""

from datetime import timedelta

from fastflow_events.errors import DomainError
from fastflow_events.fact import Fact
from fastflow_events.run.commands import (
    AdoptAttempt,
    ClaimAttempt,
    ConcludeRun,
    DispatchAttempt,
    FinishAttempt,
    LoseAttempt,
    RejectRun,
    RequestCancel,
    RequestRun,
    RunCommand,
    StartAttempt,
    WithdrawDispatch,
)
from fastflow_events.run.decider import run_decider
from fastflow_events.run.events import (
    Manifest,
    RunAttemptFinished,
    RunCancelRequested,
    RunClaimed,
    RunDispatched,
    RunFinished,
    RunRejected,
    RunStarted,
)
from fastflow_events.run.state import OVER
from fastflow_events.testing.builders import NOON, attempt_finished, holder, run_requested, specification
from hypothesis import given
from hypothesis import strategies as st

holders = st.builds(
    holder,
    runner=st.sampled_from(["runner-1", "runner-2"]),
    incarnation=st.sampled_from(["i1", "i2"]),
    engine=st.sampled_from(["e1", "e2"]),
)
attempts = st.integers(1, 3)
outcomes = st.sampled_from(["succeeded", "failed", "timed_out"])
commands: st.SearchStrategy[RunCommand] = st.one_of(
    st.just(RequestRun(request=run_requested())),
    st.just(DispatchAttempt(pool="default", term=1, specification=specification())),
    st.builds(ClaimAttempt, attempt=attempts, holder=holders),
    st.builds(AdoptAttempt, attempt=attempts, holder=holders),
    st.builds(
        StartAttempt,
        attempt=attempts,
        holder=holders,
        manifest=st.just(Manifest(executor="process", container="c")),
        started_at=st.just(NOON),
    ),
    st.builds(FinishAttempt, holder=holders, finished=st.builds(attempt_finished, attempt=attempts, outcome=outcomes)),
    st.builds(LoseAttempt, attempt=attempts),
    st.builds(WithdrawDispatch, attempt=attempts, reason=st.just("nobody came")),
    st.builds(ConcludeRun, retry_due=st.sampled_from([None, NOON, NOON + timedelta(hours=1)])),
    st.builds(RequestCancel, who=st.just("ann"), kind=st.sampled_from(["user", "policy", "restart"])),
    st.just(RejectRun(reason="disabled", detail="off")),
)
stories = st.lists(commands, max_size=40).map(lambda rest: [RequestRun(request=run_requested()), *rest])


def told(story: list[RunCommand]) -> list[Fact]:
    history: list[Fact] = []
    for command in story:
        try:
            history += run_decider.decide(command, run_decider.fold(history))
        except DomainError:
            continue
    return history


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

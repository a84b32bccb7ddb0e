"""The rules of a run, story by story."""

from datetime import timedelta

import pytest
from fastflow_events.aggregates.run.commands import (
    AdoptAttempt,
    ClaimAttempt,
    ConcludeRun,
    DispatchAttempt,
    FinishAttempt,
    HurryRun,
    LoseAttempt,
    PrioritiseRun,
    RejectRun,
    ReportAttempt,
    RequestCancel,
    RequestRun,
    RunCommand,
    StartAttempt,
    WithdrawDispatch,
)
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.endings import CancelledUnstarted
from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunArtifactStored,
    RunAttemptFinished,
    RunDispatched,
    RunDispatchWithdrawn,
    RunFinished,
    RunHurried,
    RunLost,
    RunOutputTruncated,
    RunPrioritised,
    RunRejected,
    RunRetryScheduled,
    RunSoftLimitExceeded,
)
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.errors import FencedError, NotActiveError, NotFoundError
from fastflow_events.fact import Fact
from fastflow_events.message import Verbatim
from fastflow_events.testing.builders import (
    NOON,
    attempt_finished,
    cancel_requested,
    holder,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
    specification,
)
from fastflow_events.testing.scenario import when

QUEUED = [run_requested()]
DISPATCHED = [*QUEUED, run_dispatched()]
CLAIMED = [*DISPATCHED, run_claimed()]
STARTED = [*CLAIMED, run_started()]
ENDED = [*STARTED, attempt_finished(outcome="failed", exit_code=1)]
OTHER_INCARNATION = holder(incarnation="i2")
OTHER_RUNNER = holder(runner="runner-2", incarnation="j1")
OTHER_ENGINE = holder(runner="runner-3", incarnation="k1", engine="e2")
REQUEST = RequestRun(request=run_requested())
DISPATCH = DispatchAttempt(pool="default", term=1, specification=specification())
CLAIM = ClaimAttempt(attempt=1, holder=holder())
START = StartAttempt(attempt=1, holder=holder(), manifest=Manifest(executor="process", container="c1"), started_at=NOON)
FINISH = FinishAttempt(holder=holder(), finished=attempt_finished())
CANCEL = RequestCancel(who="ann")


def test_asking_twice_is_asking_once() -> None:
    assert when(REQUEST) == [run_requested()]
    assert when(REQUEST, given=QUEUED) == []
    assert when(REQUEST, given=[*ENDED, run_finished()]) == []


def test_nothing_can_happen_to_a_run_nobody_asked_for() -> None:
    with pytest.raises(NotFoundError):
        when(CANCEL)


def test_a_run_goes_from_wish_to_end() -> None:
    assert when(DISPATCH, given=QUEUED) == [run_dispatched()]
    assert when(CLAIM, given=DISPATCHED) == [run_claimed()]
    assert when(START, given=CLAIMED) == [run_started()]
    assert when(FINISH, given=STARTED) == [attempt_finished()]
    assert when(ConcludeRun(), given=[*STARTED, attempt_finished()]) == [run_finished()]


def test_claiming_again_is_already_so_for_the_holder_and_a_fence_for_others() -> None:
    assert when(CLAIM, given=CLAIMED) == []
    with pytest.raises(FencedError):
        when(ClaimAttempt(attempt=1, holder=OTHER_RUNNER), given=CLAIMED)


def test_an_attempt_that_ended_cannot_be_claimed_again() -> None:
    with pytest.raises(NotActiveError):
        when(CLAIM, given=ENDED)


def test_a_cancelled_run_cannot_be_claimed_or_dispatched() -> None:
    with pytest.raises(NotActiveError):
        when(CLAIM, given=[*DISPATCHED, cancel_requested()])
    with pytest.raises(NotActiveError):
        when(DISPATCH, given=[*QUEUED, cancel_requested()])


def test_a_dispatch_that_lands_after_a_cancel_is_void() -> None:
    story = [*QUEUED, cancel_requested(), run_dispatched()]
    with pytest.raises(NotActiveError):
        when(CLAIM, given=story)
    assert when(ConcludeRun(), given=story) == [
        RunFinished(
            outcome="cancelled",
            attempt=None,
            detail="cancelled before it was started",
            detail_message=CancelledUnstarted().message,
        )
    ]


def test_a_second_dispatch_of_the_same_attempt_changes_nothing() -> None:
    once = run_decider.fold(CLAIMED)
    assert run_decider.fold([*CLAIMED, run_dispatched()]) == once


def test_a_withdrawn_dispatch_is_made_again_as_the_same_attempt() -> None:
    withdrawn = RunDispatchWithdrawn(attempt=1, reason="nobody came")
    assert when(WithdrawDispatch(attempt=1, reason=Verbatim("nobody came")), given=DISPATCHED) == [withdrawn]
    with pytest.raises(NotActiveError):
        when(CLAIM, given=[*DISPATCHED, withdrawn])
    [again] = when(DISPATCH, given=[*DISPATCHED, withdrawn])
    assert isinstance(again, RunDispatched)
    assert again.attempt == 1


def test_a_cancel_before_the_end_decides_the_outcome_whatever_the_exit_code() -> None:
    [finished] = when(FINISH, given=[*STARTED, cancel_requested()])
    assert isinstance(finished, RunAttemptFinished)
    assert (finished.outcome, finished.exit_code) == ("cancelled", 0)


def test_a_cancelled_run_is_not_tried_again() -> None:
    story = [*STARTED, cancel_requested(), attempt_finished(outcome="cancelled")]
    assert when(ConcludeRun(retry_due=NOON), given=story) == [RunFinished(outcome="cancelled", attempt=1)]


def test_cancelling_twice_is_cancelling_once_but_a_user_overrules_a_policy() -> None:
    assert when(CANCEL, given=[*QUEUED, cancel_requested()]) == []
    assert when(CANCEL, given=[*QUEUED, cancel_requested(kind="policy")]) == [cancel_requested()]
    assert when(RequestCancel(who="x", kind="policy"), given=[*QUEUED, cancel_requested()]) == []


def test_a_finished_run_cannot_be_cancelled() -> None:
    with pytest.raises(NotActiveError):
        when(CANCEL, given=[*ENDED, run_finished()])


def test_a_failed_attempt_is_tried_again_when_asked_and_repeats_its_specification() -> None:
    due = NOON + timedelta(minutes=1)
    assert when(ConcludeRun(retry_due=due), given=ENDED) == [RunRetryScheduled(attempt=2, due=due)]
    waiting = [*ENDED, RunRetryScheduled(attempt=2, due=due)]
    newer = DispatchAttempt(pool="default", term=1, specification=specification(commit="d" * 40))
    assert when(newer, given=waiting) == [run_dispatched(attempt=2)]
    assert when(HurryRun(who="ann"), given=waiting) == [RunHurried(who="ann")]


def test_a_waiting_retry_that_is_cancelled_ends_at_once() -> None:
    waiting = [*ENDED, RunRetryScheduled(attempt=2, due=NOON), cancel_requested()]
    [finished] = when(ConcludeRun(), given=waiting)
    assert isinstance(finished, RunFinished)
    assert finished.outcome == "cancelled"


def test_an_attempt_is_adopted_on_its_engine_only() -> None:
    adopted = RunAdopted(attempt=1, runner="runner-1", incarnation="i2", engine="e1")
    assert when(AdoptAttempt(attempt=1, holder=OTHER_INCARNATION), given=STARTED) == [adopted]
    assert when(AdoptAttempt(attempt=1, holder=OTHER_INCARNATION), given=[*STARTED, adopted]) == []
    with pytest.raises(FencedError):
        when(AdoptAttempt(attempt=1, holder=OTHER_ENGINE), given=STARTED)


@pytest.mark.parametrize(
    "command",
    [
        START,
        FINISH,
        ReportAttempt(holder=holder(), report=RunOutputTruncated(attempt=1, runner="runner-1", dropped_bytes=1)),
    ],
)
def test_a_runner_whose_attempt_was_adopted_is_fenced(command: RunCommand) -> None:
    adopted = RunAdopted(attempt=1, runner="runner-1", incarnation="i2", engine="e1")
    with pytest.raises(FencedError):
        when(command, given=[*CLAIMED, adopted])


@pytest.mark.parametrize(
    "report",
    [
        RunArtifactStored(attempt=1, runner="runner-1", path="a", sha256="0", size_bytes=1),
        RunSoftLimitExceeded(attempt=1, runner="runner-1", kind="cpus", limit=1, measured=2),
        RunOutputTruncated(attempt=1, runner="runner-1", dropped_bytes=1),
    ],
)
def test_what_was_reported_of_an_attempt_is_not_said_again(
    report: RunArtifactStored | RunSoftLimitExceeded | RunOutputTruncated,
) -> None:
    command = ReportAttempt(holder=holder(), report=report)
    assert when(command, given=STARTED) == [report]
    assert when(command, given=[*STARTED, report]) == []


@pytest.mark.parametrize(
    "command",
    [
        FinishAttempt(holder=holder(runner="runner-2"), finished=attempt_finished(runner="runner-1")),
        ReportAttempt(
            holder=holder(runner="runner-2"), report=RunOutputTruncated(attempt=1, runner="runner-1", dropped_bytes=1)
        ),
    ],
)
def test_a_runner_says_nothing_in_the_name_of_another(command: RunCommand) -> None:
    with pytest.raises(FencedError):
        when(command, given=[run_requested(), run_dispatched(), run_claimed(runner="runner-2")])


def test_a_lost_attempt_is_a_fence_for_its_holder_and_ends_the_run() -> None:
    lost = RunLost(attempt=1, runner="runner-1")
    assert when(LoseAttempt(attempt=1), given=STARTED) == [lost]
    with pytest.raises(FencedError):
        when(FINISH, given=[*STARTED, lost])
    [finished] = when(ConcludeRun(), given=[*STARTED, lost])
    assert isinstance(finished, RunFinished)
    assert finished.outcome == "lost"


def test_a_run_in_the_queue_can_be_rejected_and_moved() -> None:
    assert when(RejectRun(reason="disabled", detail=Verbatim("off")), given=QUEUED) == [
        RunRejected(reason="disabled", detail="off")
    ]
    assert when(PrioritiseRun(priority=5, who="ann"), given=QUEUED) == [RunPrioritised(priority=5, who="ann")]
    with pytest.raises(NotActiveError):
        when(RejectRun(reason="disabled", detail=Verbatim("off")), given=CLAIMED)


def test_saying_the_end_twice_is_saying_it_once() -> None:
    done: list[Fact] = [*STARTED, attempt_finished()]
    assert when(FINISH, given=done) == []
    assert when(FINISH, given=[*done, run_finished()]) == []
    assert when(ConcludeRun(), given=[*done, run_finished()]) == []

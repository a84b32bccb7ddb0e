"""A run's row is a pure fold of its facts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from fastflow_events.aggregates.run.commands import RunCommand
from fastflow_events.aggregates.run.events import (
    RunDispatchWithdrawn,
    RunLost,
    RunOutputTruncated,
    RunPrioritised,
    RunRejected,
    RunRetryScheduled,
)
from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.fact import Fact
from fastflow_events.recorded import Recorded
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    RUNNER,
    attempt_finished,
    cancel_requested,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
    specification,
)
from fastflow_events.testing.run_stories import stories, told
from fastflow_events.types import Outcome
from fastflow_gateway.core.responses.runs import show_run
from fastflow_gateway.core.views.reasons import message_of
from fastflow_gateway.core.views.runs import RunRow, fold, project
from fastflow_gateway.handlers.queue import in_queue
from hypothesis import given
from hypothesis import strategies as st

FACTS: list[Fact] = [
    run_requested(),
    run_dispatched(),
    run_claimed(),
    run_started(),
    attempt_finished(),
    run_finished(),
    cancel_requested(),
    RunRejected(reason="disabled", detail="it is off"),
    RunRetryScheduled(attempt=2, due=NOON),
    RunDispatchWithdrawn(attempt=1, reason="nobody came"),
    RunLost(attempt=1, runner=RUNNER),
    RunPrioritised(priority=3, who="ann"),
    RunOutputTruncated(attempt=1, runner=RUNNER, dropped_bytes=7),
]


def recorded(facts: Sequence[Fact]) -> list[Recorded]:
    return [
        Recorded(
            seq=n * 10,
            aggregate="run",
            id="r1",
            version=n,
            at=NOON + timedelta(seconds=n),
            source="/t",
            cause=CAUSE,
            fact=fact,
        )
        for n, fact in enumerate(facts, start=1)
    ]


def row_after(*facts: Fact) -> RunRow:
    row = fold(recorded([run_requested(), *facts]))
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([], "queued"),
        ([run_dispatched()], "queued"),
        ([run_dispatched(), run_claimed()], "preparing"),
        ([run_dispatched(), run_claimed(), run_started()], "running"),
        ([run_dispatched(), run_claimed(), run_started(), attempt_finished()], "running"),
        ([run_dispatched(), RunDispatchWithdrawn(attempt=1, reason="nobody came")], "queued"),
        ([run_dispatched(), run_claimed(), attempt_finished(), RunRetryScheduled(attempt=2, due=NOON)], "waiting"),
        ([RunRejected(reason="disabled", detail="it is off")], "rejected"),
    ],
)
def test_people_see_the_word_for_where_the_run_is(facts: list[Fact], status: str) -> None:
    assert row_after(*facts).status == status


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("succeeded", "succeeded"),
        ("cancelled", "cancelled"),
        ("failed", "failed"),
        ("timed_out", "failed"),
        ("out_of_memory", "failed"),
        ("lost", "failed"),
    ],
)
def test_an_outcome_has_a_status_and_stays_visible(outcome: Outcome, status: str) -> None:
    row = row_after(run_finished(outcome=outcome))
    assert (row.status, row.outcome) == (status, outcome)


def test_a_row_says_what_its_commit_is_about_once_that_is_known() -> None:
    assert row_after().branch == ""
    assert row_after(run_dispatched(specification=specification(branch="main")), run_claimed()).branch == "main"


def test_a_row_says_the_route_and_whether_there_is_a_result_of_its_last_attempt() -> None:
    row = row_after(run_dispatched(), run_claimed(), attempt_finished(route="full", result={"a": 1}))
    assert (row.route, row.has_result, row.result_error) == ("full", 1, "")
    row = row_after(run_dispatched(), run_claimed(), attempt_finished(result_error="it is no JSON object"))
    assert (row.route, row.has_result, row.result_error) == (None, 0, "it is no JSON object")
    again = RunRetryScheduled(attempt=2, due=NOON)
    ended = attempt_finished(outcome="failed", route="full", result={"a": 1})
    row = row_after(run_dispatched(), run_claimed(), ended, again, run_dispatched(2), run_claimed(2))
    assert (row.route, row.has_result) == (None, 0)


def test_a_row_carries_the_position_of_its_last_change_and_of_its_request() -> None:
    row = row_after(run_dispatched(), run_claimed())
    assert (row.seq, row.requested_seq) == (30, 10)


def test_a_rejected_run_says_why() -> None:
    assert row_after(RunRejected(reason="disabled", detail="it is off")).reason == "disabled: it is off"


def test_a_failed_run_says_why() -> None:
    assert (
        row_after(
            attempt_finished(outcome="failed", exit_code=3, detail="exit code 3"),
            run_finished(outcome="failed", detail="exit code 3"),
        ).reason
        == "exit code 3"
    )


def test_a_retry_shows_the_new_attempt_and_not_the_end_of_the_old_one() -> None:
    row = row_after(
        run_dispatched(),
        run_claimed(),
        run_started(),
        attempt_finished(outcome="failed", exit_code=1, finished_at=NOON),
        RunRetryScheduled(attempt=2, due=NOON),
        run_dispatched(attempt=2),
        run_claimed(attempt=2),
    )
    assert (row.attempt, row.exit_code, row.finished_at, row.status) == (2, None, None, "preparing")


def test_a_dispatch_after_a_cancel_is_void() -> None:
    assert row_after(cancel_requested(), run_dispatched()).attempt == 0


def test_nothing_changes_a_run_that_is_over() -> None:
    over = row_after(run_finished())
    for fact in recorded(FACTS):
        assert project(over, fact) == over


def test_values_of_environment_variables_are_not_kept() -> None:
    row = fold(recorded([run_requested(env={"TOKEN": "s3cret"})]))
    assert row is not None
    assert row.env_names == '["TOKEN"]'
    assert "s3cret" not in repr(row)


def test_instants_are_text_that_sorts() -> None:
    early = fold(recorded([run_requested()]))
    assert early is not None
    assert early.requested_at == "2026-03-01T12:00:01.000000Z"


@given(st.lists(st.sampled_from(FACTS)))
def test_any_history_can_be_folded_and_only_ends_once(facts: list[Fact]) -> None:
    row: RunRow | None = None
    ended: RunRow | None = None
    for one in recorded(facts):
        row = project(row, one)
        if row is not None and row.status in ("succeeded", "failed", "cancelled", "rejected"):
            assert ended is None or row == ended
            ended = row
    assert row is None or datetime.fromisoformat(row.requested_at).tzinfo == UTC


def test_what_the_last_attempt_failed_with_is_shown_until_the_next_one_is_in_hand() -> None:
    error = ScriptError(type="KeyError", message="'sku'", file="main.py", line=41, log_line=7)
    failed = (run_dispatched(), run_claimed(), attempt_finished(outcome="failed", error=error))
    assert show_run(row_after(*failed)).error == error
    again = (*failed, RunRetryScheduled(attempt=2, due=NOON), run_dispatched(2), run_claimed(2))
    assert show_run(row_after(*again)).error is None


def test_a_dispatched_run_that_is_cancelled_does_not_come_back_into_the_queue() -> None:
    """Where it stands is a field of its own: whatever is said of it meanwhile changes nothing about that."""
    row = fold(recorded([run_requested(), run_dispatched(), cancel_requested(why="waiting, but not for a runner")]))
    assert row is not None
    assert (row.status, row.dispatched) == ("queued", 1)
    assert not in_queue(row, NOON)


def test_a_fact_without_a_code_is_said_in_its_own_words() -> None:
    rejected = RunRejected(reason="disabled", detail="{words} of an older release")
    row = fold(recorded([run_requested(), rejected]))
    assert row is not None
    assert row.reason == "disabled: {words} of an older release"
    message = message_of(row.reason_message)
    assert message is not None
    assert message.args["detail"] == {"code": "verbatim", "args": {"text": "{words} of an older release"}}


@given(stories)
def test_beside_every_reason_stands_its_code(story: list[RunCommand]) -> None:
    history = recorded(told(story))
    for end in range(1, len(history) + 1):
        if (row := fold(history[:end])) is not None:
            assert bool(row.reason) == bool(row.reason_message)

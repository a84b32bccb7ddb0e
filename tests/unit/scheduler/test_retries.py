"""Whether and when an attempt is tried again."""

from datetime import timedelta
from typing import Any

import pytest
from fastflow_events.aggregates.run.specification import RetryPolicy, Specification
from fastflow_events.testing.builders import NOON, specification
from fastflow_events.types import Outcome
from fastflow_scheduler.core.retries import LONGEST_S, LOST_AGAIN, delay_s, retry_due
from hypothesis import given
from hypothesis import strategies as st


def policy(**more: Any) -> RetryPolicy:
    return RetryPolicy(**{"attempts": 4, **more})


def spec(**more: Any) -> Specification:
    return specification(retry=policy(**more))


def delays(**more: Any) -> list[float]:
    return [delay_s(policy(**more), number, "r1") for number in (1, 2, 3, 4)]


def test_a_fixed_delay_does_not_change() -> None:
    assert delays() == [60, 60, 60, 60]
    assert delays(delay_s=5) == [5, 5, 5, 5]


def test_a_backoff_grows_up_to_its_longest_delay() -> None:
    assert delays(strategy="exponential_backoff") == [60, 120, 240, 480]
    assert delays(strategy="exponential_backoff", delay_s=10, multiplier=3, max_delay_s=100) == [10, 30, 90, 100]
    assert delay_s(policy(strategy="exponential_backoff", multiplier=1000), 900, "r1") == 3600


def test_the_last_delay_of_a_list_repeats() -> None:
    assert delays(strategy="custom_schedule", delays_s=(1, 3)) == [1, 3, 3, 3]
    assert delays(strategy="custom_schedule") == [60, 60, 60, 60]


@given(st.floats(0, 1), st.text(min_size=1), st.integers(1, 100))
def test_jitter_only_lengthens_and_is_always_the_same(jitter: float, run_id: str, number: int) -> None:
    jittered = policy(jitter=jitter)
    assert 60 <= delay_s(jittered, number, run_id) <= 60 * (1 + jitter)
    assert delay_s(jittered, number, run_id) == delay_s(jittered, number, run_id)


def test_jitter_spreads_runs() -> None:
    assert len({delay_s(policy(jitter=0.5), 1, f"r{n}") for n in range(100)}) == 100


@pytest.mark.parametrize(
    "outcome", ["failed", "timed_out", "out_of_memory", "infrastructure_error", "dependency_error"]
)
def test_every_failure_is_tried_again_as_often_as_wanted(outcome: Outcome) -> None:
    due = [retry_due("r1", attempt, outcome, spec(attempts=2), ended_at=NOON) for attempt in (1, 2, 3)]
    assert due == [NOON + timedelta(seconds=60), NOON + timedelta(seconds=60), None]


def test_a_success_a_cancel_and_a_run_that_never_started_are_not_tried_again() -> None:
    assert retry_due("r1", 1, "succeeded", spec(), ended_at=NOON) is None
    assert retry_due("r1", 1, "cancelled", spec(), ended_at=NOON) is None
    assert retry_due("r1", 1, "failed", None, ended_at=NOON) is None
    assert retry_due("r1", 1, "failed", spec(attempts=0), ended_at=NOON) is None


def test_a_lost_attempt_runs_again_at_once_if_wanted_and_uses_up_no_retry() -> None:
    wanted = specification(retry_on_lost=True, retry=policy(attempts=1))
    assert retry_due("r1", 1, "lost", wanted, ended_at=NOON, lost=1) == NOON
    assert retry_due("r1", 1, "lost", spec(), ended_at=NOON, lost=1) is None
    assert retry_due("r1", 2, "failed", wanted, ended_at=NOON, lost=1) is not None
    assert retry_due("r1", 3, "failed", wanted, ended_at=NOON, lost=1) is None
    assert retry_due("r1", 99, "lost", wanted, ended_at=NOON, lost=LOST_AGAIN + 1) is None


def test_no_delay_is_longer_than_a_year() -> None:
    assert delay_s(policy(delay_s=1e12), 1, "r1") == LONGEST_S

"""Which waiting run starts, which never will, and what the others wait for."""

from typing import Any

import pytest
from fastflow_events.testing.builders import COMMIT, TREE, run_requested, specification
from fastflow_rules.admission import Candidate, Capacity, Dispatch, Pipeline, Reject, Verdict, Version, Wait, admit
from fastflow_rules.definition import Defaults, Definition

FREE = Capacity(max_running=10, running={})
READY = Pipeline(definition=Definition())


def version(**more: Any) -> Version:
    return Version(repository="main", commit=COMMIT, tree=TREE, definition=Definition(**more))


def candidate(run_id: str = "r1", **more: Any) -> Candidate:
    return Candidate(**{"run_id": run_id, "request": run_requested(), "version": version(), **more})


def judged(*queue: Candidate, capacity: Capacity = FREE, pipeline: Pipeline | None = READY) -> list[Verdict]:
    return admit(queue, {"hello": pipeline} if pipeline else {}, capacity, Defaults())


def test_a_run_with_its_code_and_a_free_place_is_dispatched_with_everything_frozen() -> None:
    [verdict] = judged(candidate(request=run_requested(params={"name": "Ada"})))
    assert isinstance(verdict, Dispatch)
    assert verdict.specification.tree == TREE
    assert verdict.specification.env == {"name": "Ada"}


def test_a_retry_repeats_the_first_specification_whatever_the_pipeline_says_now() -> None:
    first = specification(python="3.12", kind="notebook")
    assert judged(candidate(specification=first, version=None), pipeline=None) == [
        Dispatch(run_id="r1", specification=first)
    ]


def test_a_run_waits_while_its_code_is_fetched() -> None:
    assert judged(candidate(version=None)) == [Wait(run_id="r1", reason="fetching code")]


def test_a_run_of_a_paused_pipeline_waits() -> None:
    [verdict] = judged(candidate(), pipeline=Pipeline(definition=Definition(), paused=True))
    assert verdict == Wait(run_id="r1", reason="the pipeline is paused")


def test_places_are_given_in_the_order_of_the_queue() -> None:
    one_left = Capacity(max_running=3, running={"other": 2})
    first, second = judged(candidate("r1"), candidate("r2"), capacity=one_left)
    assert isinstance(first, Dispatch)
    assert second == Wait(run_id="r2", reason="all 3 places are taken")


def test_a_pipeline_at_its_own_limit_does_not_hold_up_the_others() -> None:
    alone = Pipeline(definition=Definition(max_instances=1))
    first, second = judged(candidate("r1"), candidate("r2"), pipeline=alone)
    assert isinstance(first, Dispatch)
    assert second == Wait(run_id="r2", reason="1 of at most 1 runs of this pipeline are active")


def test_a_run_at_the_limit_is_rejected_where_the_pipeline_says_so() -> None:
    strict: dict[str, Any] = {"max_instances": 1, "on_limit": "reject"}
    busy = Capacity(max_running=10, running={"hello": 1})
    [verdict] = judged(
        candidate(version=version(**strict)), capacity=busy, pipeline=Pipeline(definition=Definition(**strict))
    )
    assert isinstance(verdict, Reject)
    assert verdict.reason == "limit"


@pytest.mark.parametrize(
    ("pipeline", "more", "reason"),
    [
        (None, {}, "unknown"),
        (Pipeline(removed=True), {"version": None}, "unknown"),
        (READY, {"version": None, "missing": "no such commit"}, "version_missing"),
        (Pipeline(errors=("/cpu: no number",), commit=COMMIT), {"version": None}, "invalid_definition"),
        (Pipeline(definition=Definition(enabled=False)), {}, "disabled"),
        (READY, {"request": run_requested(run_config_id="nightly")}, "invalid_definition"),
    ],
)
def test_what_can_never_start_is_rejected_with_the_reason(
    pipeline: Pipeline | None, more: dict[str, Any], reason: str
) -> None:
    [verdict] = judged(candidate(**more), pipeline=pipeline)
    assert isinstance(verdict, Reject)
    assert verdict.reason == reason


@pytest.mark.parametrize(("more", "word"), [({"kind": "notebook"}, "notebooks"), ({"isolation": "jit"}, "jit")])
def test_what_this_release_cannot_execute_is_refused_and_not_executed_as_something_else(
    more: dict[str, Any], word: str
) -> None:
    [verdict] = judged(candidate(version=version(**more)), pipeline=Pipeline(definition=Definition(**more)))
    assert isinstance(verdict, Reject)
    assert word in verdict.detail


def test_a_removed_pipeline_still_runs_at_a_commit_whose_code_is_stored() -> None:
    [verdict] = judged(candidate(), pipeline=Pipeline(removed=True))
    assert isinstance(verdict, Dispatch)

"""Which run can never start, and with what the others do."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.testing.builders import COMMIT, NOON, TREE, run_requested
from fastflow_rules.definition import Defaults, Definition, Param, Schedule
from fastflow_rules.queue.admission import (
    MAX_CHAIN_DEPTH,
    Lane,
    Order,
    Pipeline,
    Refusal,
    Version,
    freeze,
    lane,
    order,
    rejection_of,
)
from msgspec.structs import replace

READY = Pipeline(definition=Definition())
GONE = Pipeline(removed=True, commit="d" * 40)


def version(**more: Any) -> Version:
    return Version(repository="main", commit=COMMIT, tree=TREE, definition=Definition(**more))


def reason(pipeline: Pipeline | None, request: RunRequested | None = None, **more: Any) -> str | None:
    refusal = rejection_of(request or run_requested(), pipeline, **{"version": version(), **more})
    return refusal.reason if refusal else None


def frozen(version: Version, **more: Any) -> Specification:
    found = freeze(run_requested(**more), version, Defaults())
    assert isinstance(found, Specification)
    return found


def test_a_specification_says_what_its_commit_is_about() -> None:
    assert frozen(replace(version(), branch="main")).branch == "main"


def refused(version: Version, **more: Any) -> Refusal:
    found = freeze(run_requested(**more), version, Defaults())
    assert isinstance(found, Refusal)
    return found


@pytest.mark.parametrize(
    ("pipeline", "more", "expected"),
    [
        (READY, {}, None),
        (None, {}, "unknown"),
        (GONE, {"version": None}, "unknown"),
        (GONE, {}, None),
        (READY, {"version": None}, None),
        (READY, {"version": None, "missing": "no such commit"}, "version_missing"),
        (Pipeline(errors=("$: no JSON",), commit=COMMIT), {}, "invalid_definition"),
        (Pipeline(errors=("$: no JSON",), commit="d" * 40), {}, None),
        (Pipeline(definition=Definition(enabled=False)), {}, "disabled"),
    ],
)
def test_a_run_that_can_never_start_is_refused_with_its_reason(
    pipeline: Pipeline | None, more: dict[str, Any], expected: str | None
) -> None:
    assert reason(pipeline, **more) == expected


def test_a_circle_of_chains_ends() -> None:
    def nth(depth: int) -> str | None:
        return reason(READY, run_requested(trigger=Trigger(kind="chain", depth=depth)))

    assert nth(MAX_CHAIN_DEPTH) is None
    assert nth(MAX_CHAIN_DEPTH + 1) == "chain_depth"


def test_everything_an_attempt_needs_is_frozen() -> None:
    specification = frozen(version(env={"A": "1"}, timeout_s=0), env={"B": "2"}, params={"C": "3"})
    assert specification.tree == TREE
    assert specification.env == {"A": "1", "B": "2", "C": "3"}
    assert specification.timeout_s is None


def test_a_script_is_told_which_instant_was_meant_and_which_run_came_before() -> None:
    scheduled = frozen(version(), trigger=Trigger(kind="schedule", schedule="hello:nightly", nominal=NOON))
    assert scheduled.env == {"FASTFLOW_NOMINAL": "2026-03-01T12:00:00Z"}
    chained = frozen(version(), trigger=Trigger(kind="chain", upstream_run="r0"))
    assert chained.env == {"FASTFLOW_UPSTREAM_RUN": "r0"}


def test_params_and_run_configurations_must_be_the_pipelines_own() -> None:
    picky = version(params=(Param(name="DAY", type="date", required=True),), schedules=(Schedule(id="weekly"),))
    assert refused(picky).reason == "invalid_params"
    assert "DAY" in str(refused(picky, params={"DAY": "soon"}).detail)
    assert refused(picky, params={"DAY": "2026-05-01"}, run_config_id="daily").reason == "invalid_definition"
    assert frozen(picky, params={"DAY": "2026-05-01"}, run_config_id="weekly").env == {"DAY": "2026-05-01"}


def test_limits_are_those_at_the_head_and_the_pool_is_the_runs_own() -> None:
    head = Pipeline(definition=Definition(concurrency_group="db", concurrency_limit=2, pool="new"))
    assert lane("hello", head, version(pool="old"), "default") == Lane("hello", "db", "old")
    assert lane("hello", head, version(), "default") == Lane("hello", "db", "default")
    assert lane("hello", None, version(concurrency_group="own", concurrency_limit=1), "default").group == "own"


def test_one_step_of_priority_is_worth_so_much_waiting() -> None:
    def place(second: int, priority: int) -> Order:
        since = datetime(2026, 5, 1, 0, second // 60, second % 60, tzinfo=UTC)
        return order(since=since, seq=second, priority=priority, ageing_s=60)

    assert place(0, 0) < place(1, 0)
    assert place(59, 1) < place(0, 0)
    assert place(0, 0) < place(61, 1)
    assert place(100, 5) < place(0, 3)

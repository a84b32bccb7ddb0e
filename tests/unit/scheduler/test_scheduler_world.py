"""The scheduler's decisions, story by story, on a log in memory."""

from datetime import timedelta

import pytest
from fastflow_events.aggregates.pipeline.events import PipelineInvalid, PipelinePaused, PipelineRemoved, PipelineResumed
from fastflow_events.aggregates.run.commands import HurryRun, PrioritiseRun
from fastflow_events.aggregates.run.events import (
    RunDispatched,
    RunDispatchWithdrawn,
    RunFinished,
    RunRejected,
    RunRetryScheduled,
)
from fastflow_events.aggregates.setting.events import SettingsPaused, SettingsResumed
from fastflow_events.fact import Fact
from fastflow_events.testing.builders import COMMIT, TREE, version_stored
from fastflow_rules.queue.pools import LiveRunner
from fastflow_scheduler.handlers import decide
from fastflow_scheduler.testing.world import World


async def dispatched(world: World) -> list[str]:
    return [recorded.id for recorded in await world.facts(RunDispatched)]


async def reasons(world: World) -> list[str]:
    return [r.fact.reason for r in await world.facts(RunRejected) if isinstance(r.fact, RunRejected)]


async def outcome(world: World, run_id: str) -> str | None:
    facts = [r.fact for r in await world.facts(RunFinished) if r.id == run_id]
    return facts[0].outcome if facts and isinstance(facts[0], RunFinished) else None


async def test_a_place_goes_to_the_next_run_as_soon_as_it_is_free() -> None:
    world = World()
    await world.scheduler(max_concurrent_runs=1)
    await world.pipeline("hello")
    await world.request("r1")
    await world.request("r2")
    await world.settle()
    assert await dispatched(world) == ["r1"]
    await world.finish("r1")
    await world.settle()
    assert await dispatched(world) == ["r1", "r2"]


async def test_what_was_dispatched_counts_before_the_book_knows_it() -> None:
    world = World()
    scheduler = await world.scheduler(max_concurrent_runs=1)
    await world.pipeline("hello")
    for run_id in ("r1", "r2", "r3"):
        await world.request(run_id)
    await scheduler.fold()
    for _ in range(3):
        await decide(scheduler.deps)
    assert await dispatched(world) == ["r1"]


async def test_higher_priority_goes_first_and_waiting_counts_too() -> None:
    world = World()
    await world.scheduler(max_concurrent_runs=1, priority_ageing_s=60)
    await world.pipeline("hello")
    await world.request("running")
    await world.settle()
    await world.claim("running")
    await world.request("old")
    await world.advance(121)
    await world.request("urgent", priority=1)
    await world.request("very urgent", priority=10)
    await world.request("moved")
    await world.tell("moved", PrioritiseRun(priority=20, who="ann"))
    for run_id in ("running", "moved", "very urgent", "old", "urgent"):
        await world.settle()
        await world.finish(run_id)
    assert await dispatched(world) == ["running", "moved", "very urgent", "old", "urgent"]


async def test_a_pipeline_at_its_limit_holds_up_nobody_else() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("one", max_instances=1)
    await world.pipeline("many")
    for n in range(3):
        await world.request(f"one-{n}", "one")
        await world.request(f"many-{n}", "many")
    await world.settle()
    assert sorted(await dispatched(world)) == ["many-0", "many-1", "many-2", "one-0"]


@pytest.mark.parametrize(("on_limit", "reason"), [("reject", "limit"), ("skip", "skipped")])
async def test_a_pipeline_may_want_no_waiting(on_limit: str, reason: str) -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", max_instances=1, on_limit=on_limit)
    await world.request("r1")
    await world.request("r2")
    await world.settle()
    assert await dispatched(world) == ["r1"]
    assert await reasons(world) == [reason]


async def test_pipelines_of_one_group_share_its_smallest_limit() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("a", concurrency_group="db", concurrency_limit=3)
    await world.pipeline("b", concurrency_group="db", concurrency_limit=2)
    for n in range(2):
        await world.request(f"a-{n}", "a")
        await world.request(f"b-{n}", "b")
    await world.settle()
    assert len(await dispatched(world)) == 2
    await world.finish((await dispatched(world))[0])
    await world.settle()
    assert len(await dispatched(world)) == 3


async def test_runs_wait_for_live_runners_of_their_pool_with_free_slots() -> None:
    world = World()
    scheduler = await world.scheduler()
    capacity = scheduler.state.runs.capacity
    capacity.set_runners({"small": LiveRunner(slots=1, pools=("default",))})
    await world.pipeline("hello")
    await world.pipeline("heavy", pool="gpu")
    await world.request("r1")
    await world.request("r2")
    await world.request("g1", "heavy")
    await world.settle()
    assert await dispatched(world) == ["r1"]
    capacity.set_runners({"small": LiveRunner(slots=2, pools=("default",)), "big": LiveRunner(slots=1, pools=("gpu",))})
    await world.settle()
    assert sorted(await dispatched(world)) == ["g1", "r1", "r2"]


async def test_nothing_starts_while_everything_or_its_pipeline_is_paused() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello")
    await world.append("settings", "main", [SettingsPaused(who="ann")])
    await world.append("pipeline", "hello", [PipelinePaused(who="ann")])
    await world.request("r1")
    await world.settle()
    await world.append("settings", "main", [SettingsResumed(who="ann")])
    await world.settle()
    assert await dispatched(world) == []
    await world.append("pipeline", "hello", [PipelineResumed(who="ann")])
    await world.settle()
    assert await dispatched(world) == ["r1"]


async def test_a_run_that_waited_for_a_paused_pipeline_starts_although_that_was_removed_meanwhile() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello")
    await world.append("pipeline", "hello", [PipelinePaused(who="ann")])
    await world.request("r1")
    await world.settle()
    await world.append("pipeline", "hello", [PipelineRemoved(repository="main", commit="d" * 40)])
    await world.settle()
    assert await dispatched(world) == []
    await world.append("pipeline", "hello", [PipelineResumed(who="ann")])
    await world.settle()
    assert await dispatched(world) == ["r1"]


async def test_a_dispatch_nobody_claims_goes_back_into_the_queue_and_costs_no_retry() -> None:
    world = World()
    await world.scheduler(claim_within_s=30)
    await world.pipeline("hello")
    await world.request("r1")
    await world.settle()
    await world.advance(29)
    assert await world.facts(RunDispatchWithdrawn) == []
    await world.advance(2)
    assert len(await world.facts(RunDispatchWithdrawn)) == 1
    attempts = [r.fact.attempt for r in await world.facts(RunDispatched) if isinstance(r.fact, RunDispatched)]
    assert attempts == [1, 1]


async def test_a_failed_attempt_is_tried_again_after_its_delay_and_holds_no_place_meanwhile() -> None:
    world = World()
    await world.scheduler(max_concurrent_runs=1)
    retry = {"type": "custom_schedule", "delays_s": [10, 20]}
    await world.pipeline("hello", retry_attempts=2, retry_strategy=retry)
    await world.request("r1")
    await world.request("r2")
    await world.settle()
    await world.finish("r1", outcome="failed", exit_code=1)
    await world.settle()
    assert await dispatched(world) == ["r1", "r2"]
    await world.advance(9)
    await world.finish("r2")
    await world.advance(2)
    assert await dispatched(world) == ["r1", "r2", "r1"]
    await world.finish("r1", outcome="timed_out")
    await world.advance(19)
    assert len(await dispatched(world)) == 3
    await world.advance(2)
    await world.finish("r1", outcome="failed", exit_code=1)
    await world.settle()
    assert await outcome(world, "r1") == "failed"
    assert len(await world.facts(RunRetryScheduled)) == 2


async def test_a_waiting_retry_can_be_hurried_or_cancelled() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", retry_attempts=1, retry_strategy={"delay_s": 1000})
    for run_id in ("hurried", "cancelled"):
        await world.request(run_id)
        await world.settle()
        await world.finish(run_id, outcome="failed", exit_code=1)
    await world.settle()
    await world.tell("hurried", HurryRun(who="ann"))
    await world.cancel("cancelled")
    await world.settle()
    assert (await world.run("hurried")).phase == "dispatched"
    assert await outcome(world, "cancelled") == "cancelled"
    await world.advance(2000)
    assert (await dispatched(world)).count("cancelled") == 1


async def test_a_waiting_retry_survives_a_new_scheduler() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", retry_attempts=1, retry_strategy={"delay_s": 1000})
    await world.request("r1")
    await world.settle()
    await world.finish("r1", outcome="failed", exit_code=1)
    await world.settle()
    world.schedulers.clear()
    world.now += timedelta(seconds=2000)
    await world.scheduler()
    await world.settle()
    assert await dispatched(world) == ["r1", "r1"]


async def test_zero_retries_beat_the_installation_and_a_success_needs_none() -> None:
    world = World()
    await world.scheduler(default_retries=3)
    await world.pipeline("none", retry_attempts=0)
    await world.pipeline("some")
    for name in ("none", "some"):
        await world.request(name, name)
    await world.settle()
    await world.finish("none", outcome="failed", exit_code=1)
    await world.finish("some")
    await world.settle()
    assert (await outcome(world, "none"), await outcome(world, "some")) == ("failed", "succeeded")


async def test_two_who_both_believe_they_lead_never_exceed_a_limit() -> None:
    world = World()
    first = await world.scheduler(max_concurrent_runs=2)
    await world.pipeline("hello")
    for n in range(6):
        await world.request(f"r{n}")
    await first.fold()
    second = await world.scheduler(max_concurrent_runs=2)
    await second.act()
    assert first.leadership.lease is not None
    await decide(first.deps)  # from a state that knows nothing of the second one
    assert first.leadership.lease is None
    await first.lead()
    await world.settle()
    assert await dispatched(world) == ["r0", "r1"]
    for run_id in ("r0", "r1"):
        await world.finish(run_id)
    await world.settle()
    assert await dispatched(world) == ["r0", "r1", "r2", "r3"]


async def test_a_run_of_an_invalid_pipeline_is_refused_and_one_of_a_stored_commit_is_not() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello")
    await world.append("pipeline", "hello", [version_stored(commit="e" * 40)])
    broken: list[Fact] = [PipelineInvalid(repository="main", commit="d" * 40, tree=TREE, errors=("$: no JSON",))]
    await world.append("pipeline", "hello", broken)
    await world.request("head", commit="d" * 40)
    await world.request("older", commit=COMMIT)
    await world.settle()
    assert await reasons(world) == ["invalid_definition"]
    assert await dispatched(world) == ["older"]

"""Daemons, chains and backfills through the scheduler, on a log in memory."""

from datetime import UTC, datetime, timedelta

from fastflow_events.aggregates.backfill.events import BackfillCancelled, BackfillRequested
from fastflow_events.aggregates.chain.events import ChainSet
from fastflow_events.aggregates.run.events import RunCancelRequested, RunFinished, RunRejected, RunRequested
from fastflow_events.aggregates.schedule.events import (
    ScheduleFireMissed,
    ScheduleFireSkipped,
)
from fastflow_events.ids import chain_id, run_id_of_chain
from fastflow_events.testing.builders import NOON
from fastflow_scheduler.testing.world import World

NIGHT = datetime(2026, 3, 1, 23, 59, 30, tzinfo=UTC)


async def requests(world: World, pipeline: str = "hello") -> list[RunRequested]:
    found = [r.fact for r in await world.facts(RunRequested) if isinstance(r.fact, RunRequested)]
    return [fact for fact in found if fact.pipeline == pipeline]


async def not_fired(world: World) -> list[tuple[str, int]]:
    facts = [r.fact for kind in (ScheduleFireMissed, ScheduleFireSkipped) for r in await world.facts(kind)]
    return [(f.reason, f.count) for f in facts if isinstance(f, ScheduleFireMissed | ScheduleFireSkipped)]


async def run_all(world: World, **more: object) -> None:
    for run_id in await world.open():
        if (await world.run(run_id)).phase in ("dispatched", "claimed", "started"):
            await world.finish(run_id, **more)
    await world.settle()


async def test_a_daemon_that_fails_for_good_is_started_again_after_its_cooldown() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", restart_on_crash=True, restart_cooldown_s=30, retry_attempts=1)
    await world.request("r1", params={"A": "1"})
    await world.settle()
    await world.finish("r1", outcome="failed", exit_code=1)
    await world.advance(61)
    await world.finish("r1", outcome="failed", exit_code=1)
    await world.settle()
    await world.advance(29)
    assert len(await requests(world)) == 1
    await world.advance(2)
    _, again = await requests(world)
    assert (again.trigger.kind, again.trigger.upstream_run, again.params) == ("daemon_restart", "r1", {"A": "1"})


async def test_a_daemon_is_not_started_again_after_a_cancel_a_success_or_when_nobody_wants_it_any_more() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", restart_on_crash=True, restart_cooldown_s=10)
    for run_id in ("cancelled", "succeeded", "failed"):
        await world.request(run_id)
    await world.settle()
    await world.claim("cancelled")
    await world.cancel("cancelled")
    await world.finish("cancelled", outcome="failed", exit_code=1)
    await world.finish("succeeded")
    await world.finish("failed", outcome="failed", exit_code=1)
    await world.settle()
    await world.pipeline("hello", commit="d" * 40)
    await world.advance(60, step_s=10)
    assert len(await requests(world)) == 3


async def test_a_cooldown_of_zero_starts_at_once() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", restart_on_crash=True, restart_cooldown_s=0)
    await world.request("r1")
    await world.settle()
    await world.finish("r1", outcome="failed", exit_code=1)
    await world.settle()
    assert len(await requests(world)) == 2


async def test_a_restart_by_the_clock_stops_cools_down_and_starts_exactly_once() -> None:
    world = World()
    for _ in range(3):
        await world.scheduler()
    await world.pipeline("hello", restart_interval="600", restart_cooldown_s=30, restart_on_crash=True)
    await world.request("r1")
    await world.request("r2")
    await world.settle()
    for run_id in ("r1", "r2"):
        await world.claim(run_id)
    await world.advance(601, step_s=60)
    cancels = [r.fact for r in await world.facts(RunCancelRequested)]
    assert [c.kind for c in cancels if isinstance(c, RunCancelRequested)] == ["restart", "restart"]
    for run_id in ("r1", "r2"):
        await world.finish(run_id, outcome="failed", signal=15)
        await world.settle()
    assert len(await requests(world)) == 2
    await world.advance(31, step_s=10)
    new = (await requests(world))[2:]
    assert [(r.trigger.kind, r.trigger.schedule) for r in new] == [("daemon_restart", "hello:@restart")]
    await world.advance(120, step_s=30)
    assert len(await requests(world)) == 3


async def test_a_restart_by_the_clock_starts_what_does_not_run_and_leaves_out_what_is_starting() -> None:
    world = World()
    await world.scheduler(max_concurrent_runs=1)
    await world.pipeline("blocker")
    await world.request("b", "blocker")
    await world.settle()
    await world.claim("b")
    await world.pipeline("hello", restart_interval="600")
    await world.advance(600)
    assert len(await requests(world)) == 1
    await world.advance(600)
    assert len(await requests(world)) == 1
    assert await not_fired(world) == [("a run of it is starting already", 1)]


async def test_a_user_who_stops_a_daemon_while_it_is_restarted_has_the_last_word() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", restart_interval="600", restart_cooldown_s=30)
    await world.request("r1")
    await world.settle()
    await world.claim("r1")
    await world.advance(600)
    await world.cancel("r1")
    await world.finish("r1", outcome="failed")
    await world.advance(120, step_s=30)
    assert len(await requests(world)) == 1


async def test_a_chain_is_followed_once_with_what_it_hands_over_and_never_lost_at_capacity() -> None:
    world = World()
    for _ in range(2):
        await world.scheduler(max_concurrent_runs=1)
    handed = {"DAY": "$params.DAY", "ROWS": "$result.rows"}
    await world.pipeline("hello", downstream=[{"pipeline": "next", "params": handed}])
    await world.pipeline("next")
    await world.append("chain", chain_id("hello", "next", None), [ChainSet(upstream="hello", downstream="next")])
    await world.append(
        "chain", chain_id("hello", "bad", None), [ChainSet(upstream="hello", downstream="bad", on_failure=True)]
    )
    await world.request("r1", params={"DAY": "2026-05-01"})
    await world.request("blocker")
    await world.settle()
    await world.finish("r1", result={"rows": 7})
    await world.settle()
    [request] = await requests(world, "next")
    assert request.params == {"DAY": "2026-05-01", "ROWS": "7"}
    assert (request.trigger.kind, request.trigger.upstream_run, request.trigger.depth) == ("chain", "r1", 1)
    assert (await world.run(run_id_of_chain("r1", "next", None))).phase == "queued"
    assert len(await requests(world, "bad")) == 1


async def test_a_route_decides_and_only_the_final_failure_is_followed() -> None:
    world = World()
    await world.scheduler()
    targets = [
        {"pipeline": "full", "on_route": "full"},
        {"pipeline": "broken", "on_success": False, "on_failure": True},
    ]
    await world.pipeline("hello", downstream=targets, retry_attempts=1, retry_strategy={"delay_s": 10})
    for run_id in ("routed", "failing"):
        await world.request(run_id)
    await world.settle()
    await world.finish("routed", route="full")
    await world.finish("failing", outcome="failed", exit_code=1, route="full")
    await world.settle()
    assert (len(await requests(world, "full")), len(await requests(world, "broken"))) == (1, 0)
    await world.advance(11)
    await world.finish("failing", outcome="failed", exit_code=1)
    await world.settle()
    assert (len(await requests(world, "full")), len(await requests(world, "broken"))) == (1, 1)


async def test_a_fan_in_follows_the_runs_of_one_flow_together() -> None:
    world = World()
    await world.scheduler()
    both = [{"pipeline": "left"}, {"pipeline": "right"}]
    await world.pipeline("hello", downstream=both)
    await world.pipeline("left")
    await world.pipeline("right")
    params = {"L": "$result.left.n"}
    await world.pipeline("end", upstream={"all": ["left", "right"], "params": params})
    await world.request("r1")
    await world.settle()
    await world.finish("r1")
    await world.settle()
    for name in ("left", "right"):
        assert await requests(world, "end") == []
        await world.finish(run_id_of_chain("r1", name, None), result={"n": name})
        await world.settle()
    [request] = await requests(world, "end")
    assert request.params == {"L": "left"}
    assert len(request.trigger.upstream_runs) == 2
    assert request.trigger.depth == 2


async def test_a_circle_of_pipelines_ends_with_a_reason() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", downstream=[{"pipeline": "hello"}])
    await world.request("r1")
    for _ in range(60):
        await world.settle()
        await run_all(world)
    [rejected] = [r.fact for r in await world.facts(RunRejected)]
    assert isinstance(rejected, RunRejected)
    assert rejected.reason == "chain_depth"
    assert len(await requests(world)) == 52


async def test_a_backfill_runs_each_instant_with_no_more_open_than_wanted_and_can_be_cancelled() -> None:
    world = World()
    for _ in range(2):
        await world.scheduler()
    await world.pipeline("hello", cron="@daily")
    instants = tuple(NOON - timedelta(days=n) for n in range(10, 0, -1))
    fact = BackfillRequested(pipeline="hello", schedule="hello:default", instants=instants, concurrency=3)
    await world.append("backfill", "b1", [fact])
    await world.settle()
    assert len(await world.open()) == 3
    await run_all(world)
    assert len(await requests(world)) == 6
    assert [r.trigger.nominal for r in await requests(world)] == list(instants[:6])
    assert all(r.trigger.backfill == "b1" for r in await requests(world))
    await world.append("backfill", "b1", [BackfillCancelled(who="ann")])
    await world.settle()
    for run_id in await world.open():
        await world.finish(run_id) if (await world.run(run_id)).holder else None
    await world.settle()
    assert len(await requests(world)) == 6
    assert await world.open() == []
    ends = [r.fact.outcome for r in await world.facts(RunFinished) if isinstance(r.fact, RunFinished)]
    assert ends.count("cancelled") == 3

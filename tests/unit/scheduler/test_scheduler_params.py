"""Runs whose params are not those that their pipeline takes, at the commit they ask for."""

from fastflow_events.aggregates.run.events import RunDispatched, RunRejected
from fastflow_events.testing.builders import version_stored
from fastflow_scheduler.testing.world import World


async def dispatched(world: World) -> list[str]:
    return [recorded.id for recorded in await world.facts(RunDispatched)]


async def reasons(world: World) -> list[str]:
    return [r.fact.reason for r in await world.facts(RunRejected) if isinstance(r.fact, RunRejected)]


async def test_params_that_do_not_fit_are_refused_with_the_reason() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", params=[{"name": "DAY", "type": "date", "required": True}])
    await world.request("r1")
    await world.request("r2", params={"DAY": "2026-05-01"})
    await world.settle()
    assert await reasons(world) == ["invalid_params"]
    assert await dispatched(world) == ["r2"]


async def test_params_are_judged_as_soon_as_the_commit_is_known_not_when_there_is_a_place() -> None:
    world = World()
    await world.scheduler(max_concurrent_runs=1)
    await world.pipeline("hello")
    await world.request("first")
    await world.request("later", commit="e" * 40, params={"DAY": "soon"})
    await world.settle()
    assert (await reasons(world), await dispatched(world)) == ([], ["first"])
    picky = version_stored(commit="e" * 40, definition={"params": [{"name": "DAY", "type": "date"}]})
    await world.append("pipeline", "hello", [picky])
    await world.settle()
    assert (await reasons(world), await dispatched(world)) == (["invalid_params"], ["first"])

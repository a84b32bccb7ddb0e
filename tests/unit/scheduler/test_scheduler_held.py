"""A scheduler on a log that is nearly full."""

import asyncio

from fastflow_events.nats.topology import GIB
from fastflow_events.nats.usage import LogUsage
from fastflow_scheduler.heartbeat_monitor import hold_admission
from fastflow_scheduler.testing.world import World


async def test_a_log_that_is_nearly_full_holds_everything_new_and_loses_nothing() -> None:
    world = World()
    scheduler = await world.scheduler()
    await world.pipeline("hello", downstream=[{"pipeline": "next"}])
    await world.pipeline("next", cron="* * * * *")
    await world.request("r1")
    await world.settle()
    hold_admission(scheduler.deps.state, LogUsage(0.93, GIB), asyncio.Event())
    await world.finish("r1")
    await world.request("r2")
    await world.advance(30, step_s=5)
    assert (await world.run("r1")).phase == "finished"
    assert (await world.run("r2")).phase == "queued"
    assert await world.runs("next") == []
    hold_admission(scheduler.deps.state, LogUsage(0.5, GIB), asyncio.Event())
    await world.advance(60, step_s=5)
    assert (await world.run("r2")).phase == "dispatched"
    assert len(await world.runs("next")) == 2

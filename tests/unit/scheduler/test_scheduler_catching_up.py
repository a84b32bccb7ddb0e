"""A scheduler that comes back decides nothing before it knows what the log held when it came."""

import asyncio

from fastflow_events.testing.builders import run_requested
from fastflow_scheduler import ticker
from fastflow_scheduler.testing.world import World


async def test_a_bell_that_somebody_else_rings_does_not_mean_that_the_book_is_read() -> None:
    world, changed = World(), asyncio.Event()
    scheduler = await world.scheduler()
    await world.append("run", "r1", [run_requested()])
    catching_up = asyncio.create_task(ticker.catch_up(scheduler.deps, changed))
    for _ in range(20):
        changed.set()
        await asyncio.sleep(0)
    assert not catching_up.done()
    await scheduler.fold()
    changed.set()
    await asyncio.wait_for(catching_up, 30)


async def test_a_slow_book_is_waited_for() -> None:
    world = World()
    scheduler = await world.scheduler()
    await world.append("run", "r1", [run_requested()])
    catching_up = asyncio.create_task(ticker.catch_up(scheduler.deps, asyncio.Event(), settles_s=0.01))
    done, _ = await asyncio.wait([catching_up], timeout=0.2)
    assert not done
    await scheduler.fold()
    await asyncio.wait_for(catching_up, 30)

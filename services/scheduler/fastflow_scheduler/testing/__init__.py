"""A scheduler as it is shipped, in the process of a test, and runners that do nothing but live."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastflow_events.nats.connection import connect
from fastflow_events.nats.leases import Heartbeat, beat
from fastflow_events.service.clock import utc_now
from fastflow_events.service.settings import Settings
from fastflow_events.service.tasks import background
from nats.aio.client import Client

from fastflow_scheduler.app import build
from fastflow_scheduler.settings import SchedulerSettings

BEAT_EVERY_S = 2.0


@asynccontextmanager
async def scheduling(url: str, home: Path, instance: str = "one", **more: Any) -> AsyncGenerator[None]:
    """A scheduler runs while the block does."""
    app = build(SchedulerSettings(nats_url=url, home=home, instance=instance, **more))
    task = asyncio.create_task(app.run())
    try:
        yield
    finally:
        app.exit()
        await asyncio.wait_for(task, 20)


def heartbeat(runner: str = "runner-1", **more: Any) -> Heartbeat:
    """A runner of the default pool with many slots."""
    known = {
        "runner": runner,
        "incarnation": "i1",
        "engine": "e1",
        "executor": "process",
        "slots": 1000,
        "running": 0,
        "pools": ("default",),
        "version": "0",
        "at": utc_now(),
    }
    return Heartbeat(**{**known, **more})


@asynccontextmanager
async def living_runners(url: str, *runners: Heartbeat) -> AsyncGenerator[None]:
    """These runners, or one, are alive while the block runs."""

    async def live(nc: Client) -> None:
        while True:
            for runner in runners or (heartbeat(),):
                await beat(nc, runner)
            await asyncio.sleep(BEAT_EVERY_S)

    async with connect(Settings(nats_url=url), "runners") as nc, background(live(nc)):
        yield

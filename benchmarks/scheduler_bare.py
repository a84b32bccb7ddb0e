"""The facts of a scheduler without one: published into a stream with the log's own settings, on the same server."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

from fastflow_events.envelope import body_of, headers_of
from fastflow_events.nats.sizes import bounds
from fastflow_events.nats.topology import GIB, streams
from fastflow_events.service.clock import utc_now
from nats.js.client import JetStreamContext

from benchmarks.scheduler_stage import Stage
from benchmarks.stories import story

SUBJECT = "fastflow.bench"
WIDTH = 32
"""As many as a scheduler has under way."""


class Bare(NamedTuple):
    """Appends that nothing leads up to; each is refused if its run has facts already."""

    js: JetStreamContext

    async def append(self, fact: int) -> None:
        """Append one fact of a story under a new id."""
        recorded, id = story(0)[fact], uuid.uuid4().hex
        expectation = {
            "Nats-Expected-Last-Subject-Sequence": "0",
            "Nats-Expected-Last-Subject-Sequence-Subject": f"{SUBJECT}.{id}.>",
        }
        headers = headers_of(recorded) | expectation
        await self.js.publish(f"{SUBJECT}.{id}.fact", body_of(recorded.fact), headers=headers)

    async def timed(self, number: int, *, every_s: float) -> list[float]:
        """Seconds by which each of so many appends at fixed instants was late when it was stored."""
        start, late = utc_now() + timedelta(seconds=1), []
        for n in range(number):
            instant = start + timedelta(seconds=n * every_s)
            await asyncio.sleep(max(0.0, (instant - utc_now()).total_seconds()))
            await self.append(REQUESTED)
            late.append((utc_now() - instant).total_seconds())
        return late

    async def together(self, number: int) -> float:
        """Seconds for so many appends, many at once."""
        todo, began = iter(range(number)), time.perf_counter()

        async def worker() -> None:
            for _ in todo:
                await self.append(REQUESTED)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(WIDTH):
                tasks.create_task(worker())
        return time.perf_counter() - began

    async def one_by_one(self, number: int) -> float:
        """Seconds for so many appends, one after the other."""
        began = time.perf_counter()
        for _ in range(number):
            await self.append(DISPATCHED)
        return time.perf_counter() - began


REQUESTED, DISPATCHED = 0, 1
"""Places of the facts in a story."""


@asynccontextmanager
async def bare(ours: Stage) -> AsyncIterator[Bare]:
    """A stream beside the log while the block runs."""
    js = ours.nc.jetstream(timeout=10)
    config = streams(bounds())[0].evolve(
        name="BENCHMARK",
        subjects=[f"{SUBJECT}.>"],
        republish=None,
        max_bytes=GIB,  # less than the log: what a server promises its streams has an end
    )
    await js.add_stream(config)
    try:
        yield Bare(js)
    finally:
        await js.delete_stream("BENCHMARK")

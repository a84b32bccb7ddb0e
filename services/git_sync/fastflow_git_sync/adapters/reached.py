"""How far a projection has come, for those who wait for it."""

import asyncio

from fastflow_events.log import EventLog
from fastflow_events.projection import Projection, apply_batch
from fastflow_events.recorded import Recorded
from fastflow_events.store import Store

BATCH = 1000


class Reached:
    """The highest stream position that is in committed rows."""

    def __init__(self) -> None:
        self._seq = 0
        self._moved = asyncio.Event()

    def committed(self, seq: int) -> None:
        """Everything up to `seq` is in committed rows now."""
        self._seq = max(self._seq, seq)
        self._moved.set()

    async def reached(self, seq: int) -> None:
        """Return once everything up to `seq` is in committed rows."""
        while self._seq < seq:
            self._moved.clear()
            await self._moved.wait()

    async def moved(self, after: int) -> int:
        """Return once something behind `after` is in committed rows, with the position that is."""
        await self.reached(after + 1)
        return self._seq


async def catch_up(log: EventLog, store: Store, projection: Projection) -> None:
    """Fold everything the log holds now, so that nothing is decided on old rows at the start."""
    batch: list[Recorded] = []
    async for recorded in log.read(projection.subject, after_seq=await store.checkpoint()):
        batch.append(recorded)
        if len(batch) == BATCH:
            await apply_batch(store, projection, batch)
            batch = []
    if batch:
        await apply_batch(store, projection, batch)

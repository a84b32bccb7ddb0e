"""What the runs wrote, out of stream `FASTFLOW_OUTPUT`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from fastflow_events import subjects
from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_events.nats import topology
from fastflow_events.nats.direct_get import get_batch, get_last
from fastflow_events.output import Chunk, decode_chunk
from fastflow_events.service import telemetry
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from fastflow_gateway.ports import StoredChunk

BATCH = 8
"""Chunks fetched at once; one has at most a megabyte."""


class JetStreamOutput:
    """`Output` over one NATS connection."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def read(self, run_id: str, *, after_seq: int) -> AsyncIterator[Sequence[StoredChunk]]:
        """Yield the chunks stored now; what is no chunk is counted and stepped over."""
        subject = subjects.output_of_run(run_id)
        while True:
            stored = await get_batch(self._nc, topology.OUTPUT, subject=subject, after_seq=after_seq, limit=BATCH)
            chunks = []
            for message in stored:
                try:
                    attempt, runner = subjects.writer_of_output(message.subject)
                    chunks.append(StoredChunk(message.seq, attempt, decode_chunk(message.data), runner))
                except ContractError as exc:
                    telemetry.unreadable(message.subject, message.seq, exc)
            if chunks:
                yield chunks
            if len(stored) < BATCH:
                return
            after_seq = stored[-1].seq

    async def last(self, run_id: str, attempt: int, runners: Collection[str]) -> StoredChunk | None:
        """The newest chunk that these runners wrote of an attempt."""
        newest = None
        for runner in runners:
            stored = await get_last(self._nc, topology.OUTPUT, subject=subjects.output(run_id, attempt, runner))
            if stored is None or (newest is not None and stored.seq < newest.seq):
                continue
            try:
                newest = StoredChunk(stored.seq, attempt, decode_chunk(stored.data), runner)
            except ContractError as exc:
                telemetry.unreadable(stored.subject, stored.seq, exc)
        return newest

    async def before(
        self, run_id: str, attempt: int, runners: Collection[str], wanted: Callable[[Chunk], bool]
    ) -> StoredChunk | None:
        """The newest chunk that is wanted, found by halving the stretch of the stream that it must lie in."""
        best, newest = None, await self.last(run_id, attempt, runners)
        low, high = 1, newest.seq if newest else 0
        while low <= high:
            middle = (low + high) // 2
            found = await self._next(run_id, attempt, runners, middle)
            if found is None or found.seq > high:
                high = middle - 1
            elif wanted(found.chunk):
                best, low = found, found.seq + 1
            else:
                high = middle - 1
        return best

    async def _next(self, run_id: str, attempt: int, runners: Collection[str], seq: int) -> StoredChunk | None:
        """The first of their chunks at a stream position or behind it."""
        found = []
        for runner in runners:
            subject = subjects.output(run_id, attempt, runner)
            stored = await get_batch(self._nc, topology.OUTPUT, subject=subject, after_seq=seq - 1, limit=1)
            found += [StoredChunk(one.seq, attempt, decode_chunk(one.data), runner) for one in stored]
        return min(found, default=None, key=lambda one: one.seq)

    @asynccontextmanager
    async def listen(self, run_id: str, event: asyncio.Event) -> AsyncIterator[None]:
        """Set `event` on every bell."""

        async def ring(_: Msg) -> None:
            event.set()

        try:
            subscription = await self._nc.subscribe(subjects.output_bell(run_id), cb=ring)
        except NatsError as exc:
            raise InfrastructureError(f"NATS does not take a subscription: {exc!r}") from exc
        try:
            yield
        finally:
            if not self._nc.is_closed:
                await subscription.unsubscribe()

    async def ping(self) -> str | None:
        """None when the stream answers."""
        try:
            await get_batch(self._nc, topology.OUTPUT, subject=subjects.output("ping", 0, "ping"), after_seq=0, limit=1)
        except InfrastructureError as exc:
            return str(exc)
        return None

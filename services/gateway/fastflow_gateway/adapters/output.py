"""What the runs wrote, out of stream `FASTFLOW_OUTPUT`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastflow_events import subjects, telemetry, topology
from fastflow_events.direct_get import get_batch
from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_events.output import decode_chunk
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from fastflow_gateway.ports import StoredChunk

BATCH = 32
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
                    attempt = subjects.attempt_of_output(message.subject)
                    chunks.append(StoredChunk(message.seq, attempt, decode_chunk(message.data)))
                except (ContractError, ValueError) as exc:
                    telemetry.unreadable(message.subject, message.seq, exc)
            if chunks:
                yield chunks
            if len(stored) < BATCH:
                return
            after_seq = stored[-1].seq

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
            await get_batch(self._nc, topology.OUTPUT, subject=subjects.output("ping", 0), after_seq=0, limit=1)
        except InfrastructureError as exc:
            return str(exc)
        return None

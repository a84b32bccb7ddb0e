"""Output chunks in `FASTFLOW_OUTPUT`, each behind the one its writer knew as the attempt's last, by whomever."""

from collections.abc import Collection
from contextlib import suppress

from fastflow_events import subjects
from fastflow_events.errors import ContractError
from fastflow_events.nats.client import Connection
from fastflow_events.nats.direct_get import Stored, get_all, get_last
from fastflow_events.nats.storing import expecting, translated
from fastflow_events.nats.topology import OUTPUT
from fastflow_events.output import Chunk, decode_chunk, encode_chunk
from fastflow_events.service import telemetry

from fastflow_runner.bus import StoredChunk
from fastflow_runner.ports import AttemptRef

ACK_TIMEOUT_S = 5.0


class NatsOutput:
    """`OutputStore` on JetStream."""

    def __init__(self, nc: Connection, runner: str) -> None:
        self._nc = nc
        self._runner = runner
        self._js = nc.jetstream(timeout=ACK_TIMEOUT_S)

    async def end(self, ref: AttemptRef) -> int:
        """Position of what was stored last of the attempt, by whomever; 0 where there is nothing."""
        stored = await get_last(self._nc, OUTPUT, subject=subjects.output(ref.run_id, ref.attempt, subjects.ANY))
        return stored.seq if stored else 0

    async def newest(self, ref: AttemptRef, holders: Collection[str]) -> StoredChunk | None:
        """The newest chunk of these runners; None where there is none."""
        newest: Stored | None = None
        for runner in holders:
            stored = await get_last(self._nc, OUTPUT, subject=subjects.output(ref.run_id, ref.attempt, runner))
            if stored is not None and (newest is None or stored.seq > newest.seq):
                newest = stored
        if newest is None:
            return None
        try:
            return StoredChunk(seq=newest.seq, chunk=decode_chunk(newest.data))
        except ContractError as exc:
            telemetry.unreadable(newest.subject, newest.seq, exc)
            return StoredChunk(seq=newest.seq, chunk=await self._last_readable(newest.subject))

    async def _last_readable(self, subject: str) -> Chunk:
        """What was stored before somebody put junk behind it; that is stepped over, as every reader does."""
        last = Chunk(first=0, frames=())
        async for stored in get_all(self._nc, OUTPUT, subject=subject):
            with suppress(ContractError):
                last = decode_chunk(stored.data)
        return last

    async def append(self, ref: AttemptRef, chunk: Chunk, *, after_seq: int) -> int:
        """Store a chunk; the server refuses it when the attempt's output has moved on, by whomever."""
        subject = subjects.output(ref.run_id, ref.attempt, self._runner)
        of_all = subjects.output(ref.run_id, ref.attempt, subjects.ANY)
        self._nc.check_connected()
        with translated("output cannot be stored", run=ref.name):
            ack = await self._js.publish(subject, encode_chunk(chunk), headers=expecting(after_seq, of_all))
        return ack.seq

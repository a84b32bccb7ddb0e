"""Dead letters and the verdicts on them, in stream `FASTFLOW_DEAD`."""

from collections.abc import AsyncIterator

from fastflow_events import subjects
from fastflow_events.envelope import stored_at
from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_events.nats import topology
from fastflow_events.nats.direct_get import get_all
from fastflow_events.service import telemetry
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from fastflow_gateway.core.dead_letters import JUDGE, StoredLetter, Verdict, headers_of, read_letter


class JetStreamLetters:
    """`Letters` over one NATS connection."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def read(self) -> AsyncIterator[StoredLetter | Verdict]:
        """Yield everything the stream holds now."""
        async for stored in get_all(self._nc, topology.DEAD, subject=subjects.DEAD):
            try:
                service = subjects.decode(stored.subject.rsplit(".", 1)[1])
                yield read_letter(stored.seq, service, stored.headers, stored.data, stored_at(stored.headers))
            except ContractError as exc:
                telemetry.unreadable(stored.subject, stored.seq, exc)

    async def judge(self, verdict: Verdict) -> int:
        """Store a verdict."""
        try:
            ack = await self._nc.jetstream().publish(subjects.dead(JUDGE), b"", headers=headers_of(verdict))
        except (NatsError, JetStreamError, TimeoutError) as exc:
            raise InfrastructureError(f"the verdict was not stored: {exc!r}", letter=verdict.letter) from exc
        return ack.seq

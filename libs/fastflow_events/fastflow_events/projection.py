"""Follow the log into a store that keeps its own position; delete the file and it rebuilds."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from fastflow_events.fact import UnknownFact
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded
from fastflow_events.store import Store
from fastflow_events.telemetry import UNKNOWN

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 1.0
_BATCH = 1000


class Projection(Protocol):
    """A fold of the log into rows."""

    subject: str
    """Which facts are folded; wildcards allowed."""

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold the batch, oldest first, inside the transaction that also moves the checkpoint."""

    def committed(self, seq: int) -> None:
        """Everything up to `seq` is in committed rows now; wake whoever waits."""


async def project(log: EventLog, store: Store, projection: Projection) -> None:
    """Keep `store` up to date until cancelled; after a failure, resume at its checkpoint."""
    while True:
        try:
            checkpoint = await store.checkpoint()
            projection.committed(checkpoint)
            async for batch in log.follow(projection.subject, after_seq=checkpoint):
                await apply_batch(store, projection, batch)
        except Exception:  # the loop is the last line of defence: report, wait, resume
            logger.exception(
                "projection stopped", extra={"action": "projection_stopped", "subject": projection.subject}
            )
            await asyncio.sleep(RETRY_AFTER_S)


async def catch_up(log: EventLog, store: Store, projection: Projection) -> None:
    """Fold everything that the log holds now and `store` does not.

    Raises:
        InfrastructureError: the log did not answer.
    """
    batch: list[Recorded] = []
    async for recorded in log.read(projection.subject, after_seq=await store.checkpoint()):
        batch.append(recorded)
        if len(batch) == _BATCH:
            await apply_batch(store, projection, batch)
            batch = []
    if batch:
        await apply_batch(store, projection, batch)


async def apply_batch(store: Store, projection: Projection, batch: Sequence[Recorded]) -> None:
    """Fold one batch: rows and checkpoint commit together or not at all."""
    known = [r for r in batch if not isinstance(r.fact, UnknownFact)]
    for recorded in batch:
        if isinstance(recorded.fact, UnknownFact):
            UNKNOWN.labels(recorded.wire_type).inc()
    async with store.advance(batch[-1].seq):
        await projection.apply(known)
    projection.committed(batch[-1].seq)

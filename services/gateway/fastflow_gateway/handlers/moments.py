"""What handlers may touch, as it was at a moment of the past."""

from collections.abc import Mapping
from datetime import datetime

from fastflow_events import subjects
from fastflow_events.log import EventLog
from fastflow_events.nats.leases import Heartbeat
from fastflow_events.nats.usage import LogUsage
from msgspec.structs import replace

from fastflow_gateway.core.moments import LongAgo, LongAgoError
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.log_until import LogUntil
from fastflow_gateway.ports import ReadModel
from fastflow_gateway.queue_snapshot import QueueSnapshot

NEAR = 2000
"""Facts looked at to find an instant, from a position near it."""
WITHIN_S = 2.0
ROOM_BYTES = 2**62


async def _nobody_knows() -> Mapping[str, Heartbeat]:
    raise LongAgoError(LongAgo())


async def _room() -> LogUsage:
    return LogUsage(0.0, ROOM_BYTES)


async def position_of_instant(rows: ReadModel, log: EventLog, at: datetime) -> int:
    """The position of the last fact that was stored at an instant or before."""
    found = await rows.position_at(text_of(at))
    async for recorded in log.read(subjects.EVENTS, after_seq=found, limit=NEAR):
        if recorded.told_at > at:
            break
        found = recorded.seq
    return found


async def then(deps: Deps, moment: int | datetime) -> tuple[Deps, int]:
    """Everything as of a position or an instant, and the position that it is; what is still to come is now.

    Raises:
        InfrastructureError: the log did not answer.
    """
    if isinstance(moment, datetime):
        moment = await position_of_instant(deps.rows, deps.log, moment)
    seq = min(moment, await deps.log.last_seq())
    await deps.changes.reached(seq, within_s=WITHIN_S)
    seq = min(seq, deps.changes.seq)
    at = await _stored_at(deps.log, seq) or deps.clock()
    past = replace(
        deps,
        rows=deps.rows.at(seq, deps.log),
        log=LogUntil(deps.log, seq),
        clock=lambda: at,
        heartbeats=_nobody_knows,
        log_fill=_room,
        queue_snapshot=QueueSnapshot(),
    )
    return past, seq


async def _stored_at(log: EventLog, seq: int) -> datetime | None:
    async for recorded in log.read(subjects.EVENTS, after_seq=max(0, seq - 1), limit=1):
        return recorded.told_at
    return None

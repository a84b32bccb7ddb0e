"""How many facts there were when, without reading them: positions count."""

from datetime import datetime, timedelta, tzinfo

from fastflow_events import subjects
from fastflow_events.log import EventLog
from fastflow_events.service.for_each import for_each

from fastflow_gateway.core.responses.audit import FactsAt
from fastflow_gateway.core.time_buckets import buckets
from fastflow_gateway.handlers.log_positions import Positions

AT_ONCE = 8
_TICK = timedelta(microseconds=1)


async def histogram(
    log: EventLog, *, since: datetime | None, until: datetime | None, zone: tzinfo, most: int, now: datetime
) -> list[FactsAt]:
    """At most `most` spans from `since` (the first fact) to `until` (now)."""
    first = [recorded async for recorded in log.read(subjects.EVENTS, limit=1)]
    if not first:
        return []
    positions = Positions(log, await log.last_seq())
    spans = buckets(since or first[0].at, until or max(now, first[0].at) + _TICK, zone, most)
    found: dict[datetime, int] = {}

    async def look(edge: datetime) -> None:
        found[edge] = await positions.before(edge)

    await for_each(sorted({edge for span in spans for edge in (span.since, span.until)}), look, at_once=AT_ONCE)
    return [
        FactsAt(
            since=span.since,
            until=span.until,
            facts=max(0, found[span.until] - found[span.since]),
            seq=found[span.until],
        )
        for span in spans
    ]

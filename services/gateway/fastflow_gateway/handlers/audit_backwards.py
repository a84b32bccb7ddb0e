"""The log from its end: facts newest first, and one fact with what it caused."""

from fastflow_events import subjects
from fastflow_events.errors import NotFoundError
from fastflow_events.instants import later
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_gateway.core.event_faults import NoSuchFact
from fastflow_gateway.handlers.audit import MAX_SCANNED, SKEW_S, Facts, Filter, is_in_time, subject_of
from fastflow_gateway.handlers.log_positions import position_before

MOST_CAUSED = 200


class Caused(Struct, frozen=True, kw_only=True):
    """A fact with what came of it."""

    fact: Recorded
    because: Recorded | None
    """The fact that made it necessary."""
    caused: list[Recorded]
    looked_until: int
    """Position of the last fact that was looked at for those it caused."""


async def facts_before(log: EventLog, wanted: Filter, *, before: int | None, limit: int) -> Facts:
    """At most `limit` wanted facts in front of a stream position, newest first; None is the end of the log."""
    subject = subject_of(wanted)
    end = await log.last_seq() + 1
    end = end if before is None else min(before, end)
    if wanted.until is not None:
        end = min(end, await position_before(log, later(wanted.until, SKEW_S)) + 1)
    first = 0 if wanted.since is None else await position_before(log, later(wanted.since, -SKEW_S))
    found: list[Recorded] = []
    span = limit
    while len(found) < limit and end - 1 > first:
        start = max(first, end - 1 - span)
        window = [r for r in await _between(log, subject, start, end) if is_in_time(wanted, r)]
        found += reversed(window)
        end, span = start + 1, span * 4
    items = found[:limit]
    return Facts(items, items[-1].seq if items and (len(found) > limit or end - 1 > first) else None)


async def _between(log: EventLog, subject: str, after: int, before: int) -> list[Recorded]:
    found = []
    async for recorded in log.read(subject, after_seq=after):
        if recorded.seq >= before:
            break
        found.append(recorded)
    return found


async def fact_at(log: EventLog, seq: int) -> Caused:
    """The fact at a position, why it is there, and which of the facts behind it are there because of it.

    Raises:
        NotFoundError: the log has no such position.
    """
    is_there = 0 < seq <= await log.last_seq()
    at = [r async for r in log.read(subjects.EVENTS, after_seq=seq - 1, limit=1)] if is_there else []
    if not at or at[0].seq != seq:
        raise NotFoundError(NoSuchFact(seq))
    fact = at[0]
    caused: list[Recorded] = []
    until = seq
    async for recorded in log.read(subjects.EVENTS, after_seq=seq, limit=MAX_SCANNED):
        until = recorded.seq
        if recorded.cause.causation_id == fact.event_id:
            caused.append(recorded)
            if len(caused) == MOST_CAUSED:
                break
    return Caused(fact=fact, because=await _because(log, fact), caused=caused, looked_until=until)


async def _because(log: EventLog, fact: Recorded) -> Recorded | None:
    """The fact that the envelope names; None where it names none, or one that is not there."""
    aggregate, _, rest = (fact.cause.causation_id or "").partition("/")
    id, _, version = rest.rpartition("/")
    if not aggregate or not id or not version.isdigit():
        return None
    history = await log.load(aggregate, id)
    return next((r for r in history.recorded if r.event_id == fact.cause.causation_id), None)

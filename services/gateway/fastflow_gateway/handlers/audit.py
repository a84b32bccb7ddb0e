"""The log itself, for people: every fact, filtered, page by page."""

from datetime import datetime
from typing import NamedTuple

from fastflow_events import subjects
from fastflow_events.fact import aggregate_name, fact_name, wire_types
from fastflow_events.instants import later
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_gateway.core.errors import ContradictionError, InvalidParameterError
from fastflow_gateway.core.faults import IdAlone, NoAggregate, NoSuchFacts
from fastflow_gateway.handlers.log_positions import position_before

MAX_SCANNED = 10_000
"""Facts looked at for one page; a page may be short and still have a next one."""
SKEW_S = 120.0
"""How far the clocks of two writers may be apart."""


class Filter(Struct, frozen=True, kw_only=True):
    """Which facts are wanted; what is not said is not asked."""

    aggregate: str | None = None
    id: str | None = None
    type: str | None = None
    """`run.requested`, or with its version `run.requested.v1`."""
    since: datetime | None = None
    until: datetime | None = None


class Facts(NamedTuple):
    """A page of facts, oldest first, and the position to go on after."""

    items: list[Recorded]
    next: int | None


def subject_of(wanted: Filter) -> str:
    """The subject that covers exactly the wanted aggregate, id and type.

    Raises:
        InvalidParameterError: there is no such aggregate or type.
        ContradictionError: nothing can match.
    """
    aggregate, id = wanted.aggregate, wanted.id
    if wanted.type is not None:
        known = [name for name in wire_types() if name == wanted.type or name.rsplit(".", 1)[0] == wanted.type]
        if not known:
            raise InvalidParameterError(NoSuchFacts(), parameter="type", type=wanted.type[:80])
        if aggregate not in (None, aggregate_name(known[0])):
            raise ContradictionError(NoSuchFacts(), type=wanted.type[:80])
        name = known[0]
        scope = subjects.ANY if wire_types()[name].scope_field else None
        return subjects.event(aggregate_name(name), subjects.ANY if id is None else id, fact_name(name), scope)
    if aggregate is None:
        if id is not None:
            raise ContradictionError(IdAlone(), id=id[:80])
        return subjects.EVENTS
    if aggregate not in {aggregate_name(name) for name in wire_types()}:
        raise InvalidParameterError(NoAggregate(), parameter="aggregate", aggregate=aggregate[:80])
    return subjects.of_aggregate(aggregate, id) if id is not None else subjects.of_kind(aggregate)


async def page_of_facts(log: EventLog, wanted: Filter, *, after_seq: int, limit: int) -> Facts:
    """At most `limit` wanted facts after a stream position."""
    subject = subject_of(wanted)
    if wanted.since is not None:
        after_seq = max(after_seq, await position_before(log, later(wanted.since, -SKEW_S)))
    items: list[Recorded] = []
    scanned = 0
    async for recorded in log.read(subject, after_seq=after_seq):
        if wanted.until is not None and recorded.at > later(wanted.until, SKEW_S):
            return Facts(items, None)
        scanned += 1
        if is_in_time(wanted, recorded):
            items.append(recorded)
        if len(items) == limit or scanned == MAX_SCANNED:
            return Facts(items, recorded.seq)
    return Facts(items, None)


async def newest_facts(log: EventLog, wanted: Filter, count: int) -> Facts:
    """The last `count` wanted facts, oldest first."""
    subject = subject_of(wanted)
    last = await log.last_seq()
    span = count
    while True:
        start = max(0, last - span)
        items = [r async for r in log.read(subject, after_seq=start) if is_in_time(wanted, r)]
        if len(items) >= count or start == 0 or span >= MAX_SCANNED:
            return Facts(items[-count:], None)
        span *= 4


def is_in_time(wanted: Filter, recorded: Recorded) -> bool:
    """True when the fact was written within the wanted span."""
    early = wanted.since is not None and recorded.at < wanted.since
    late = wanted.until is not None and recorded.at > wanted.until
    return not early and not late

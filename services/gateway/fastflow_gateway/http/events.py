"""`/api/events`: the audit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastflow_events.recorded import Recorded
from litestar import Controller, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream

from fastflow_gateway.core.responses.facts import show_fact
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import audit
from fastflow_gateway.handlers.audit import Filter
from fastflow_gateway.http import sse
from fastflow_gateway.http.cursors import LAST_POSITION, Instant, instant_of
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.runs import FactList

LastEventId = Annotated[int | None, HeaderParameter(name="Last-Event-ID", ge=0, le=LAST_POSITION)]
Cursor = Annotated[int, QueryParameter(ge=0, le=LAST_POSITION)]
Limit = Annotated[int, QueryParameter(ge=1, le=1000)]
Tail = Annotated[int | None, QueryParameter(ge=1, le=1000)]


class EventController(Controller):
    """Every fact there is."""

    path = "/api/events"
    tags = ("events",)

    @get(opt=raises())
    async def list(
        self,
        *,
        deps: NamedDependency[Deps],
        aggregate: FromQuery[str | None] = None,
        id: FromQuery[str | None] = None,
        type: FromQuery[str | None] = None,
        since: Instant = None,
        until: Instant = None,
        cursor: Cursor = 0,
        limit: Limit = 100,
        tail: Tail = None,
    ) -> FactList:
        """Facts after `cursor`, oldest first, or the newest `tail` ones. A short page may still have a next one."""
        span = {"since": instant_of("since", since), "until": instant_of("until", until)}
        wanted = Filter(aggregate=aggregate, id=id, type=type, **span)
        if tail is not None:
            found = await audit.newest_facts(deps.log, wanted, tail)
        else:
            found = await audit.page_of_facts(deps.log, wanted, after_seq=cursor, limit=limit)
        following = str(found.next) if found.next is not None else None
        return FactList(items=[show_fact(recorded) for recorded in found.items], next=following)

    @get("/stream", media_type="text/event-stream", opt=raises())
    async def stream(
        self,
        *,
        deps: NamedDependency[Deps],
        state: State,
        aggregate: FromQuery[str | None] = None,
        id: FromQuery[str | None] = None,
        type: FromQuery[str | None] = None,
        last_event_id: LastEventId = None,
        cursor: Annotated[int | None, QueryParameter(ge=0, le=LAST_POSITION)] = None,
    ) -> Stream:
        """Facts after `Last-Event-ID` (or `cursor`), then each as it comes; without either, from now on."""
        subject = audit.subject_of(Filter(aggregate=aggregate, id=id, type=type))
        given = last_event_id if last_event_id is not None else cursor
        after_seq = given if given is not None else await deps.log.last_seq()
        return sse.stream(_events(deps, subject, after_seq, state.keep_alive_s))


async def _events(deps: Deps, subject: str, after_seq: int, keep_alive_s: float) -> AsyncIterator[bytes]:
    yield sse.RETRY
    batches = deps.log.follow(subject, after_seq=after_seq)
    while True:
        coming = asyncio.ensure_future(_next(batches))
        try:
            while not (await asyncio.wait({coming}, timeout=keep_alive_s))[0]:
                yield sse.KEEP_ALIVE
            batch = await coming
        finally:
            coming.cancel()
        yield b"".join(sse.of_fact(show_fact(recorded)) for recorded in batch)


async def _next(batches: AsyncIterator[Sequence[Recorded]]) -> Sequence[Recorded]:
    return await anext(batches)

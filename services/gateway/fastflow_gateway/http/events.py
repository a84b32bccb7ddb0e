"""`/api/events`: the audit."""

from functools import partial
from typing import Annotated, Literal

from fastflow_events.catalogue import facts
from fastflow_events.errors import ImpossibleNameError
from fastflow_events.fact import aggregate_name
from litestar import Controller, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream

from fastflow_gateway.core.errors import ContradictionError, InvalidParameterError, TooManyStreamsError
from fastflow_gateway.core.event_faults import OneDirection
from fastflow_gateway.core.responses.facts import show_fact
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import audit
from fastflow_gateway.handlers.audit import Filter
from fastflow_gateway.handlers.audit_backwards import facts_before
from fastflow_gateway.handlers.fact_tails import FactSource, shown_of
from fastflow_gateway.http import sse
from fastflow_gateway.http.cursors import LAST_POSITION, Instant, instant_of
from fastflow_gateway.http.problems import AnyRequest
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.runs import FactList
from fastflow_gateway.http.streams import visit_of

LastEventId = Annotated[int | None, HeaderParameter(name="Last-Event-ID", ge=0, le=LAST_POSITION)]
Cursor = Annotated[int, QueryParameter(ge=0, le=LAST_POSITION)]
Limit = Annotated[int, QueryParameter(ge=1, le=1000)]
Before = Annotated[int | None, QueryParameter(ge=1, le=LAST_POSITION)]
Order = Annotated[Literal["asc", "desc"] | None, QueryParameter()]
Tail = Annotated[int | None, QueryParameter(ge=1, le=1000)]

KNOWN = sorted(facts())
AGGREGATES = sorted({aggregate_name(name) for name in KNOWN})
TYPES = sorted({*KNOWN, *(name.rpartition(".")[0] for name in KNOWN)})
Aggregate = Annotated[str | None, QueryParameter(schema_extra={"enum": AGGREGATES})]
Type = Annotated[str | None, QueryParameter(schema_extra={"enum": TYPES})]


class EventController(Controller):
    """Every fact there is."""

    path = "/api/events"
    tags = ("events",)

    @get(opt=raises(ImpossibleNameError, ContradictionError))
    async def list(
        self,
        *,
        deps: NamedDependency[Deps],
        aggregate: Aggregate = None,
        id: FromQuery[str | None] = None,
        type: Type = None,
        since: Instant = None,
        until: Instant = None,
        cursor: Cursor = 0,
        limit: Limit = 100,
        tail: Tail = None,
        before: Before = None,
        order: Order = None,
    ) -> FactList:
        """Facts after `cursor`, oldest first, or the newest `tail` ones. A short page may still have a next one.

        With `order=desc` newest first, from the end of the log or from in front of the position `before`; `next` is
        the `before` to go on with.
        """
        span = {"since": instant_of("since", since), "until": instant_of("until", until)}
        wanted = Filter(aggregate=aggregate, id=id, type=type, **span)
        if before is not None or order == "desc":
            if tail is not None or cursor or order == "asc":
                raise InvalidParameterError(OneDirection(), parameter="before")
            found = await facts_before(deps.log, wanted, before=before, limit=limit)
        elif tail is not None:
            found = await audit.newest_facts(deps.log, wanted, tail)
        else:
            found = await audit.page_of_facts(deps.log, wanted, after_seq=cursor, limit=limit)
        following = str(found.next) if found.next is not None else None
        return FactList(items=[show_fact(recorded) for recorded in found.items], next=following)

    @get(
        "/stream",
        media_type="text/event-stream",
        opt=raises(TooManyStreamsError, ImpossibleNameError, ContradictionError),
    )
    async def stream(
        self,
        *,
        deps: NamedDependency[Deps],
        request: AnyRequest,
        state: State,
        aggregate: Aggregate = None,
        id: FromQuery[str | None] = None,
        type: Type = None,
        last_event_id: LastEventId = None,
        cursor: Annotated[int | None, QueryParameter(ge=0, le=LAST_POSITION)] = None,
    ) -> Stream:
        """Facts after `Last-Event-ID` (or `cursor`), then each as it comes; without either, from now on."""
        subject = audit.subject_of(wanted := Filter(aggregate=aggregate, id=id, type=type))
        given = last_event_id if last_event_id is not None else cursor
        place = (given if given is not None else await deps.log.last_seq(),)
        source = FactSource(deps.log)
        read = partial(deps.tails.reading, "facts", lambda: source, place, stored=partial(source.stored_on, subject))
        show = None if wanted == Filter() else partial(shown_of, wanted)
        return sse.stream_of(sse.follow(visit_of(request, state), read, show))

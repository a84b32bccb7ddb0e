"""`/api/events/{seq}` and `/api/events/histogram`: one fact with what came of it, and how many there were when."""

from datetime import tzinfo
from typing import Annotated
from zoneinfo import ZoneInfoNotFoundError

from fastflow_events.errors import NotFoundError
from fastflow_rules.schedules.zones import zone
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter, QueryParameter

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.event_faults import AZone
from fastflow_gateway.core.responses.audit import CausedResponse, Histogram
from fastflow_gateway.core.responses.facts import show_fact
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import audit_backwards
from fastflow_gateway.handlers.audit_histogram import histogram
from fastflow_gateway.http.cursors import LAST_POSITION, Instant, instant_of
from fastflow_gateway.http.raises import raises

Buckets = Annotated[int, QueryParameter(ge=1, le=500)]
Zone = Annotated[str, QueryParameter(max_length=100)]


class AuditController(Controller):
    """Look at the log as a whole, and at one fact of it."""

    path = "/api/events"
    tags = ("events",)

    @get("/histogram", opt=raises())
    async def histogram(
        self,
        *,
        deps: NamedDependency[Deps],
        buckets: Buckets = 60,
        tz: Zone = "UTC",
        since: Instant = None,
        until: Instant = None,
    ) -> Histogram:
        """How many facts there were when, in at most so many spans; they begin where hours and days of `tz` do."""
        span = {"since": instant_of("since", since), "until": instant_of("until", until)}
        items = await histogram(deps.log, zone=_zone(tz), most=buckets, now=deps.clock(), **span)
        return Histogram(tz=tz, items=items)

    @get("/{seq:int}", opt=raises(NotFoundError))
    async def show(
        self, seq: Annotated[FromPath[int], PathParameter(ge=1, le=LAST_POSITION)], deps: NamedDependency[Deps]
    ) -> CausedResponse:
        """One fact by its position, why it is there, and the facts that it made necessary."""
        found = await audit_backwards.fact_at(deps.log, seq)
        return CausedResponse(
            fact=show_fact(found.fact),
            because=show_fact(found.because) if found.because is not None else None,
            caused=[show_fact(recorded) for recorded in found.caused],
            looked_until=found.looked_until,
        )


def _zone(name: str) -> tzinfo:
    try:
        return zone(name)
    except ZoneInfoNotFoundError:
        raise InvalidParameterError(AZone("tz"), parameter="tz", given=name[:100]) from None

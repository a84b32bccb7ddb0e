"""`/api/schedules` and `/api/agenda`: schedules over all pipelines."""

from datetime import timedelta
from typing import Annotated

from fastflow_events.instants import later
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.faults import EndsBeforeItBegins
from fastflow_gateway.core.responses.agenda import AgendaResponse
from fastflow_gateway.core.statistics.zoned_days import days_until
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import agenda
from fastflow_gateway.handlers.all_schedules import page_of_schedules
from fastflow_gateway.http.cursors import instant_of
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.schedules import SchedulePage
from fastflow_gateway.http.zones import Zone, zone_asked

MOST_DAYS = 62
DEFAULT_S = 7 * 86_400.0
Limit = Annotated[int, QueryParameter(ge=1, le=1000)]
From = Annotated[
    str | None,
    QueryParameter(name="from", description="RFC 3339; today if left out.", schema_extra={"format": "date-time"}),
]
To = Annotated[
    str | None,
    QueryParameter(
        description="RFC 3339; a week later if left out, at most 62 days.", schema_extra={"format": "date-time"}
    ),
]


class AgendaController(Controller):
    """When pipelines run by themselves, all of them."""

    path = "/api"
    tags = ("schedules",)

    @get("/schedules", opt=raises())
    async def list(
        self,
        *,
        deps: NamedDependency[Deps],
        pipeline: FromQuery[str | None] = None,
        paused: FromQuery[bool | None] = None,
        cursor: FromQuery[str] = "",
        limit: Limit = 100,
        count: Annotated[int, QueryParameter(ge=0, le=10, description="Next fires of each.")] = 1,
    ) -> SchedulePage:
        """Every schedule of every pipeline, those of files and those that were set, by id."""
        items, following = await page_of_schedules(
            deps, pipeline=pipeline, paused=paused, after=cursor, limit=limit, count=count
        )
        return SchedulePage(items=items, next=following)

    @get("/agenda", opt=raises())
    async def agenda(
        self,
        *,
        deps: NamedDependency[Deps],
        first: From = None,
        to: To = None,
        pipeline: FromQuery[str | None] = None,
        zone: Zone = None,
        tz: Zone = None,
    ) -> AgendaResponse:
        """Fires in both directions of time: what became of those that are over, and those to come.

        More than three of one pipeline within an hour of the zone are told as one.
        """
        where = zone_asked(tz, zone)
        since = instant_of("from", first) or days_until(where, deps.clock(), 1).days[0].start
        until = instant_of("to", to) or later(since, DEFAULT_S)
        if not timedelta(0) < until - since <= timedelta(days=MOST_DAYS):
            raise InvalidParameterError(EndsBeforeItBegins("to", MOST_DAYS), parameter="to")
        return await agenda.agenda(deps, since, until, pipeline=pipeline, zone=where)

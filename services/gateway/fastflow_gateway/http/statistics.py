"""`/api/stats`, `/api/pipelines/{name}/stats`."""

from datetime import date, timedelta
from typing import Annotated

from fastflow_events.errors import ConcurrencyError, DomainError, NotFoundError
from fastflow_events.instants import later
from fastflow_events.recorded import Cause
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from fastflow_gateway.core.errors import InvalidParameterError, LogFullError
from fastflow_gateway.core.faults import EndsBeforeItBegins
from fastflow_gateway.core.responses.statistics import DayList, FireStats, PipelineStats, SummaryResponse, Top, TopBy
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import statistics
from fastflow_gateway.handlers.pipeline_resets import reset_statistics
from fastflow_gateway.http.cursors import Instant, instant_of
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.zones import Zone, zone_asked
from fastflow_gateway.rows.statistics import Window

DayCount = Annotated[int | None, QueryParameter(ge=1, le=731, description="The last one is today.")]
FewDays = Annotated[int, QueryParameter(ge=1, le=31)]
From = Annotated[date | None, QueryParameter(name="from", description="First day, with `to`; instead of `days`.")]
To = Annotated[date | None, QueryParameter(description="Last day.")]
Names = Annotated[list[str] | None, QueryParameter(description="Several may be named.")]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
MOST_DAYS = 731
DEFAULT_DAYS = 30
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(8990, 12, 31)
"""Days that can be computed with in every zone, and some years behind them, too."""
DEFAULT_FIRES = timedelta(days=7)


class StatisticsController(Controller):
    """What runs add up to."""

    path = "/api"
    tags = ("statistics",)

    @get("/stats/days", opt=raises())
    async def days(
        self,
        *,
        deps: NamedDependency[Deps],
        days: DayCount = None,
        first: From = None,
        to: To = None,
        tz: Zone = None,
        zone: Zone = None,
        pipeline: Names = None,
        tag: Names = None,
    ) -> DayList:
        """Runs of each day, days without runs too; percentiles where pipelines or tags are named.

        Cancelled and rejected runs count neither as successes nor as failures.
        """
        number = days or DEFAULT_DAYS
        first, to = held_day(first), held_day(to)
        if first is not None and to is not None:
            number = (to - first).days + 1
            if not 1 <= number <= MOST_DAYS:
                raise InvalidParameterError(EndsBeforeItBegins("to", MOST_DAYS), parameter="to", given=str(to))
        return await statistics.of_days(
            deps, zone_asked(tz, zone), number=number, first=first, pipelines=pipeline or (), tags=tag or ()
        )

    @get("/stats/summary", opt=raises())
    async def summary(self, *, deps: NamedDependency[Deps]) -> SummaryResponse:
        """Exactly the last 24 hours and the last 7 days, and what fails now."""
        return await statistics.summary(deps)

    @get("/stats/top", opt=raises())
    async def top(
        self, *, deps: NamedDependency[Deps], by: FromQuery[TopBy], days: FewDays = 7, limit: Limit = 20
    ) -> Top:
        """Which pipelines took most: time, failures, processor time, memory, output, waiting on average."""
        return await statistics.top(deps, by, days=days, limit=limit)

    @get("/stats/fires", opt=raises())
    async def fires(
        self,
        *,
        deps: NamedDependency[Deps],
        since: Instant = None,
        until: Instant = None,
        pipeline: FromQuery[str | None] = None,
    ) -> FireStats:
        """What became of the fires of schedules: on time, late, skipped, missed; of the last week if not said."""
        end = instant_of("until", until) or deps.clock()
        begin = instant_of("since", since) or later(end, -DEFAULT_FIRES.total_seconds())
        if begin >= end:
            raise InvalidParameterError(EndsBeforeItBegins("until", MOST_DAYS), parameter="until")
        return await statistics.fires_of(deps.rows, Window(begin, end), pipeline)

    @get("/pipelines/{name:str}/stats", opt=raises(NotFoundError))
    async def of_pipeline(
        self,
        *,
        name: FromPath[str],
        deps: NamedDependency[Deps],
        days: Annotated[int, QueryParameter(ge=1, le=366)] = DEFAULT_DAYS,
        tz: Zone = None,
        zone: Zone = None,
    ) -> PipelineStats:
        """Its runs added up, by day, and one by one, beside the window before."""
        return await statistics.of_pipeline(deps, name, zone_asked(tz, zone), number=days)

    @post(
        "/pipelines/{name:str}/stats/reset",
        status_code=204,
        opt=raises(NotFoundError, DomainError, ConcurrencyError, LogFullError),
    )
    async def reset(
        self,
        *,
        name: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        why: FromQuery[str] = "",
    ) -> None:
        """Count its runs from now on; nothing is deleted."""
        await reset_statistics(deps, name, who=who, why=why[:500], cause=cause)


def held_day(day: date | None) -> date | None:
    """The day, or the closest one that can be computed with."""
    return None if day is None else min(max(day, FIRST_DAY), LAST_DAY)

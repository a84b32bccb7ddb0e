"""`/api/pipelines/{name}/schedules`, its backfills, and `/api/backfills`."""

from datetime import datetime
from typing import Annotated

from fastflow_events.aggregates.schedule.events import CatchupRule, ScheduleSet
from fastflow_events.errors import ConcurrencyError, DomainError, NotFoundError
from fastflow_events.recorded import Cause
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter, RawBody
from msgspec import Struct

from fastflow_gateway.core.bodies import read_json
from fastflow_gateway.core.errors import LogFullError
from fastflow_gateway.core.responses.backfills import BackfillResponse
from fastflow_gateway.core.responses.schedules import ScheduleResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import backfills, schedules
from fastflow_gateway.handlers.backfills import BackfillBody
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.cursors import Instant, instant_of
from fastflow_gateway.http.given_names import GivenName
from fastflow_gateway.http.raises import raises

Count = Annotated[int, QueryParameter(ge=1, le=1000)]


class ScheduleBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a schedule; exactly one of `cron`, `interval_s` and `at`."""

    cron: str | None = None
    interval_s: float | None = None
    at: datetime | None = None
    timezone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    catchup: CatchupRule = CatchupRule()
    jitter_s: float = 0.0
    run_config_id: str | None = None
    params: dict[str, str] = {}
    priority: int | None = None


class SchedulePage(Struct, frozen=True, kw_only=True):
    """The schedules of a pipeline."""

    items: list[ScheduleResponse]
    next: str | None = None


class Instants(Struct, frozen=True, kw_only=True):
    """Nominal instants, oldest first."""

    items: list[datetime]
    next: str | None = None


class ScheduleController(Controller):
    """When pipelines run by themselves, and for the past."""

    path = "/api"
    tags = ("schedules",)

    @get("/pipelines/{name:str}/schedules", opt=raises(NotFoundError))
    async def list(self, name: FromPath[str], then: NamedDependency[Deps]) -> SchedulePage:
        """The file's schedules and those that were set, with their next fires."""
        return SchedulePage(items=await schedules.of_pipeline(then, name))

    @get("/pipelines/{name:str}/schedules/{schedule:str}/next", opt=raises(NotFoundError))
    async def next(
        self,
        *,
        name: FromPath[str],
        schedule: FromPath[str],
        deps: NamedDependency[Deps],
        count: Count = 5,
        until: Instant = None,
    ) -> Instants:
        """Its next fires."""
        last = instant_of("until", until)
        return Instants(items=await schedules.next_of(deps, name, schedule, count=count, until=last))

    @put(
        "/pipelines/{name:str}/schedules/{schedule:str}",
        operation_class=operation_with(
            ScheduleBody,
            example={"cron": "0 6 * * 1-5", "timezone": "Europe/Berlin"},
            exactly_one=("cron", "interval_s", "at"),
        ),
        opt=raises(NotFoundError, DomainError, ConcurrencyError),
    )
    async def set(
        self,
        *,
        name: FromPath[str],
        schedule: GivenName,
        body: RawBody,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> ScheduleResponse:
        """Let the pipeline run at these times, beside what its file says."""
        options = read_json(body, ScheduleBody)
        fields = {field: getattr(options, field) for field in options.__struct_fields__}
        return await schedules.set_schedule(
            deps, ScheduleSet(pipeline=name, name=schedule, who=who, **fields), cause=cause
        )

    @delete("/pipelines/{name:str}/schedules/{schedule:str}", opt=raises(NotFoundError, DomainError, ConcurrencyError))
    async def remove(
        self,
        *,
        name: FromPath[str],
        schedule: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> None:
        """Forget a schedule that was set over the API."""
        await schedules.change(deps, name, schedule, schedules.command_of("remove", who), cause=cause)

    @post(
        "/pipelines/{name:str}/schedules/{schedule:str}/pause",
        status_code=204,
        opt=raises(NotFoundError, DomainError, ConcurrencyError),
    )
    async def pause(
        self,
        *,
        name: FromPath[str],
        schedule: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        why: FromQuery[str] = "",
    ) -> None:
        """Leave its fires out."""
        await schedules.change(deps, name, schedule, schedules.command_of("pause", who, why[:500]), cause=cause)

    @post(
        "/pipelines/{name:str}/schedules/{schedule:str}/resume",
        status_code=204,
        opt=raises(NotFoundError, DomainError, ConcurrencyError),
    )
    async def resume(
        self,
        *,
        name: FromPath[str],
        schedule: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> None:
        """Let it fire again."""
        await schedules.change(deps, name, schedule, schedules.command_of("resume", who), cause=cause)

    @post(
        "/pipelines/{name:str}/backfills",
        status_code=202,
        operation_class=operation_with(
            BackfillBody,
            example={
                "schedule": "nightly",
                "after": "2026-01-01T00:00:00Z",
                "until": "2026-02-01T00:00:00Z",
                "preview": True,
            },
        ),
        opt=raises(NotFoundError, DomainError, ConcurrencyError, LogFullError),
    )
    async def backfill(
        self,
        *,
        name: FromPath[str],
        body: RawBody,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> BackfillResponse:
        """Ask for a run for each instant of a schedule in a range; with `preview` only tell which."""
        return await backfills.request(deps, name, read_json(body, BackfillBody), who=who, cause=cause)

    @get("/backfills/{backfill_id:str}", opt=raises(NotFoundError))
    async def show_backfill(self, backfill_id: FromPath[str], deps: NamedDependency[Deps]) -> BackfillResponse:
        """A backfill with the status of its runs."""
        return await backfills.show(deps.rows, backfill_id)

    @post(
        "/backfills/{backfill_id:str}/cancel", status_code=204, opt=raises(NotFoundError, DomainError, ConcurrencyError)
    )
    async def cancel_backfill(
        self,
        *,
        backfill_id: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        why: FromQuery[str] = "",
    ) -> None:
        """Ask for no more of its runs, and for the end of the open ones."""
        await backfills.cancel(deps, backfill_id, who=who, why=why[:500], cause=cause)

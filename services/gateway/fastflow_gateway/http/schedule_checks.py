"""`POST /api/schedules/check`."""

from fastflow_events.aggregates.schedule.events import ScheduleSet
from fastflow_events.errors import DomainError, NotFoundError
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from fastflow_gateway.core.bodies import read_json
from fastflow_gateway.core.responses.schedule_checks import ScheduleCheck
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.schedule_check import check_schedule
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.schedules import ScheduleBody

UNNAMED = "unnamed"


class ScheduleCheckBody(ScheduleBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a schedule, and whose it would be."""

    pipeline: str = ""
    """With it, params and run configuration are checked too."""


class ScheduleCheckController(Controller):
    """Try a schedule out."""

    path = "/api/schedules"
    tags = ("schedules",)

    @post(
        "/check",
        status_code=200,
        operation_class=operation_with(ScheduleCheckBody, example={"cron": "0 6 * * 1-5"}),
        opt=raises(NotFoundError, DomainError),
    )
    async def check(self, *, body: RawBody, deps: NamedDependency[Deps]) -> ScheduleCheck:
        """When such a schedule would fire, in words and instants; nothing is stored."""
        options = read_json(body, ScheduleCheckBody)
        fields = {field: getattr(options, field) for field in options.__struct_fields__}
        return await check_schedule(deps, ScheduleSet(name=UNNAMED, **fields))

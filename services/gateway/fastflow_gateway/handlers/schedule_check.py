"""What a schedule would do, before anybody sets it."""

from fastflow_events.aggregates.schedule.events import ScheduleSet
from fastflow_rules.schedules.planned import plan_of_api
from fastflow_rules.schedules.times import fault_of, in_utc

from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.responses.schedule_checks import ScheduleCheck, check
from fastflow_gateway.core.run_request import check_variables
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.schedules import must_fit


async def check_schedule(deps: Deps, schedule: ScheduleSet) -> ScheduleCheck:
    """What it would do; with an empty name of a pipeline it is judged by itself.

    Raises:
        NotFoundError: there is no such pipeline.
        InvalidFieldError: nobody may give its params, its times cannot be kept, or it does not fit the pipeline.
    """
    check_variables("params", schedule.params)
    schedule = in_utc(schedule)
    if (fault := fault_of(schedule)) is not None:
        raise InvalidFieldError(fault.detail, f"/{fault.member}")
    if schedule.pipeline:
        await must_fit(deps, schedule)
    now = deps.clock()
    return check(plan_of_api(schedule, at=now, before=None, priority=0).timetable, now=now)

"""Schedules: those of the files and those that are set over the API, with their next fires."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fastflow_events.aggregates.schedule.commands import (
    PauseSchedule,
    RemoveSchedule,
    ResumeSchedule,
    ScheduleCommand,
    SetSchedule,
)
from fastflow_events.aggregates.schedule.decider import schedule_decider
from fastflow_events.aggregates.schedule.events import ScheduleSet
from fastflow_events.errors import NotFoundError
from fastflow_events.execute import execute
from fastflow_events.ids import schedule_id
from fastflow_events.instants import LAST, later
from fastflow_events.recorded import Cause
from fastflow_rules.definition import check_params, priority_of, run_config
from fastflow_rules.schedules.crontab import HORIZON
from fastflow_rules.schedules.planned import PlannedSchedule
from fastflow_rules.schedules.times import fault_of, in_utc
from msgspec.structs import replace

from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.faults import NoRunConfiguration, ScheduleInFile, Several
from fastflow_gateway.core.names import must_be_name
from fastflow_gateway.core.refusals import NoSchedule
from fastflow_gateway.core.responses.schedules import (
    Pause,
    ScheduleResponse,
    own_pauses,
    pauses_around,
    show_schedule,
)
from fastflow_gateway.core.run_request import check_variables
from fastflow_gateway.core.views.pipelines import PipelineRow, file_schedules
from fastflow_gateway.core.views.schedules import ScheduleRow, plan_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import definition_of, find_pipeline
from fastflow_gateway.handlers.settling import settle

SHOWN = 5


async def of_pipeline(deps: Deps, name: str) -> list[ScheduleResponse]:
    """Every schedule of a pipeline.

    Raises:
        NotFoundError: there is no such pipeline.
    """
    around = await _paused_around(deps, name)
    return [await _shown(deps, plan, around, SHOWN, None) for plan in (await plans(deps, name)).values()]


async def next_of(deps: Deps, name: str, schedule: str, *, count: int, until: datetime | None) -> list[datetime]:
    """The next fires of one schedule, of the next thirty years at most.

    Raises:
        NotFoundError: there is no such schedule.
    """
    plan = await find(deps, name, schedule)
    last = min(until or LAST, later(deps.clock(), HORIZON.total_seconds()))
    return (await _shown(deps, plan, await _paused_around(deps, name), count, last)).next


async def find(deps: Deps, name: str, schedule: str) -> PlannedSchedule:
    """One schedule of a pipeline.

    Raises:
        NotFoundError: there is no such schedule.
    """
    plan = (await plans(deps, name)).get(schedule_id(name, schedule))
    if plan is None:
        raise NotFoundError(NoSchedule(name, schedule[:100]), pipeline=name)
    return plan


async def plans(deps: Deps, name: str) -> dict[str, PlannedSchedule]:
    """The schedules of a pipeline by id, with the phase that the facts give them.

    Raises:
        NotFoundError: there is no such pipeline.
    """
    row = await find_pipeline(deps, name)
    return plans_of(row, {each.id: each for each in await deps.rows.schedules()})


def plans_of(row: PipelineRow, rows: Mapping[str, ScheduleRow]) -> dict[str, PlannedSchedule]:
    """The schedules of a pipeline by id: what its file says, and what was set over the API beside it."""
    definition = definition_of(row)
    priority = priority_of(definition, None)
    over_api: dict[str, PlannedSchedule] = {}
    for one in rows.values():
        plan = plan_of(one) if one.pipeline == row.name else None
        if plan is not None:
            plan = plan if one.own_priority else replace(plan, priority=priority)
            over_api[one.id] = replace(plan, enabled=definition is None or definition.enabled)
    return {**over_api, **{plan.id: plan for plan in file_schedules(row).values()}}


async def set_schedule(deps: Deps, schedule: ScheduleSet, *, cause: Cause) -> ScheduleResponse:
    """Let a pipeline run at these times, beside what its file says.

    Raises:
        NotFoundError: there is no such pipeline.
        InvalidParameterError: its name is none.
        InvalidFieldError: nobody may give its params, its times cannot be kept, it does not fit the pipeline, or the
            file has one of this name.
    """
    must_be_name(schedule.name, "schedule")
    check_variables("params", schedule.params)
    schedule = in_utc(schedule)
    if (fault := fault_of(schedule)) is not None:
        raise InvalidFieldError(fault.detail, f"/{fault.member}")
    id = schedule_id(schedule.pipeline, schedule.name)
    known = (await plans(deps, schedule.pipeline)).get(id)
    if known is not None and known.source == "file":
        raise InvalidFieldError(ScheduleInFile(), "/name")
    await must_fit(deps, schedule)
    facts = await execute(deps.log, schedule_decider, id, SetSchedule(schedule=schedule), cause=cause)
    await settle(deps.changes, facts)
    around = await _paused_around(deps, schedule.pipeline)
    return await _shown(deps, await find(deps, schedule.pipeline, schedule.name), around, SHOWN, None)


async def must_fit(deps: Deps, schedule: ScheduleSet) -> None:
    """See that the pipeline, as it says it is, could run what the schedule asks for.

    Raises:
        NotFoundError: there is no such pipeline.
        InvalidFieldError: it could not.
    """
    definition = definition_of(await find_pipeline(deps, schedule.pipeline))
    if definition is None:
        return  # it is invalid now; its runs will say so
    if schedule.run_config_id is not None and run_config(definition, schedule.run_config_id) is None:
        raise InvalidFieldError(NoRunConfiguration(), "/run_config_id")
    params = check_params(definition, schedule.params)
    if isinstance(params, list):
        raise InvalidFieldError(Several(tuple(problem.statement for problem in params)), "/params")


async def change(deps: Deps, name: str, schedule: str, command: ScheduleCommand, *, cause: Cause) -> None:
    """Remove, pause or resume a schedule.

    Raises:
        NotFoundError: there is no such schedule, or it is the file's and shall be removed.
    """
    plan = await find(deps, name, schedule)
    await settle(deps.changes, await execute(deps.log, schedule_decider, plan.id, command, cause=cause))


def command_of(verb: str, who: str, why: str = "") -> ScheduleCommand:
    """What a verb means."""
    match verb:
        case "pause":
            return PauseSchedule(who=who, why=why)
        case "resume":
            return ResumeSchedule(who=who)
        case _:
            return RemoveSchedule(who=who)


async def _paused_around(deps: Deps, name: str) -> list[Pause]:
    """What is paused around the schedules of a pipeline."""
    return pauses_around(await find_pipeline(deps, name), await deps.rows.settings())


async def _shown(
    deps: Deps, plan: PlannedSchedule, around: Sequence[Pause], count: int, until: datetime | None
) -> ScheduleResponse:
    own = own_pauses(await deps.rows.schedule(plan.id))
    return show_schedule(plan, [*own, *around], after=deps.clock(), count=count, until=until)

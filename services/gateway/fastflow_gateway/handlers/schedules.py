"""Schedules: those of the files and those that are set over the API, with their next fires."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from fastflow_events import subjects
from fastflow_events.aggregates.pipeline.events import PipelineChanged, PipelineDiscovered, PipelineRemoved
from fastflow_events.aggregates.schedule.commands import (
    PauseSchedule,
    RemoveSchedule,
    ResumeSchedule,
    ScheduleCommand,
    SetSchedule,
)
from fastflow_events.aggregates.schedule.decider import schedule_decider
from fastflow_events.aggregates.schedule.events import ScheduleRemoved, ScheduleSet
from fastflow_events.aggregates.setting.decider import setting_decider
from fastflow_events.aggregates.setting.events import MAIN
from fastflow_events.errors import NotFoundError
from fastflow_events.execute import execute
from fastflow_events.ids import schedule_id
from fastflow_events.instants import LAST, later
from fastflow_events.recorded import Cause, Recorded
from fastflow_rules.definition import check_params, from_fact, priority_of, run_config
from fastflow_rules.schedules.crontab import HORIZON
from fastflow_rules.schedules.planned import PlannedSchedule, plan_of_api, plans_of_file
from fastflow_rules.schedules.times import fault_of, in_utc
from fastflow_rules.schedules.timetable import next_fires
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.faults import NoRunConfiguration, ScheduleInFile, Several
from fastflow_gateway.core.refusals import NoSchedule
from fastflow_gateway.core.run_request import check_variables
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import definition_of, find_pipeline

SHOWN = 5
PausedBy: TypeAlias = Literal["schedule", "pipeline", "everything"]


class ScheduleResponse(Struct, frozen=True, kw_only=True):
    """One schedule of a pipeline."""

    id: str
    pipeline: str
    name: str
    source: Literal["file", "api"]
    does: Literal["run", "restart"]
    cron: str | None
    interval_s: float | None
    at: datetime | None
    timezone: str
    start: datetime | None
    end: datetime | None
    enabled: bool
    paused: bool
    paused_by: list[PausedBy]
    """What of it is paused: itself, its pipeline, everything."""
    catchup: Literal["skip", "latest", "all"]
    jitter_s: float
    priority: int
    run_config_id: str | None
    next: list[datetime]
    """The next nominal instants; none while it is paused or disabled."""


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
    definition = definition_of(await find_pipeline(deps, name))
    priority = priority_of(definition, None)
    history = (await deps.log.load("pipeline", name)).recorded
    found = {plan.id: plan for plan in _of_file(name, history).values()}
    over_api: dict[str, PlannedSchedule] = {}
    async for recorded in deps.log.read(subjects.of_kind("schedule")):
        fact = recorded.fact
        if isinstance(fact, ScheduleSet) and fact.pipeline == name and fault_of(fact) is None:
            before = over_api.get(recorded.id)
            plan = plan_of_api(fact, at=recorded.told_at, before=before, priority=priority)
            over_api[recorded.id] = replace(plan, enabled=definition is None or definition.enabled)
        elif isinstance(fact, ScheduleRemoved):
            over_api.pop(recorded.id, None)
    return {**over_api, **found}


async def set_schedule(deps: Deps, schedule: ScheduleSet, *, cause: Cause) -> ScheduleResponse:
    """Let a pipeline run at these times, beside what its file says.

    Raises:
        NotFoundError: there is no such pipeline.
        InvalidFieldError: nobody may give its params, its times cannot be kept, it does not fit the pipeline, or the
            file has one of this name.
    """
    check_variables("params", schedule.params)
    schedule = in_utc(schedule)
    if (fault := fault_of(schedule)) is not None:
        raise InvalidFieldError(fault.detail, f"/{fault.member}")
    id = schedule_id(schedule.pipeline, schedule.name)
    known = (await plans(deps, schedule.pipeline)).get(id)
    if known is not None and known.source == "file":
        raise InvalidFieldError(ScheduleInFile(), "/name")
    await must_fit(deps, schedule)
    await execute(deps.log, schedule_decider, id, SetSchedule(schedule=schedule), cause=cause)
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
    await execute(deps.log, schedule_decider, plan.id, command, cause=cause)


def command_of(verb: str, who: str, why: str = "") -> ScheduleCommand:
    """What a verb means."""
    match verb:
        case "pause":
            return PauseSchedule(who=who, why=why)
        case "resume":
            return ResumeSchedule(who=who)
        case _:
            return RemoveSchedule(who=who)


def _of_file(name: str, history: Sequence[Recorded]) -> dict[str, PlannedSchedule]:
    known: dict[str, PlannedSchedule] = {}
    for recorded in history:
        fact = recorded.fact
        if isinstance(fact, PipelineDiscovered | PipelineChanged):
            known = plans_of_file(name, from_fact(fact.definition), at=recorded.told_at, before=known)
        elif isinstance(fact, PipelineRemoved):
            known = {}
    return known


async def _paused_around(deps: Deps, name: str) -> list[PausedBy]:
    """What is paused around the schedules of a pipeline."""
    row = await find_pipeline(deps, name)
    around: list[PausedBy] = ["pipeline"] if row.paused else []
    if setting_decider.fold((await deps.log.load("settings", MAIN)).facts).paused:
        around.append("everything")
    return around


async def _shown(
    deps: Deps, plan: PlannedSchedule, around: Sequence[PausedBy], count: int, until: datetime | None
) -> ScheduleResponse:
    own = schedule_decider.fold((await deps.log.load("schedule", plan.id)).facts).paused
    paused_by: list[PausedBy] = ["schedule", *around] if own else [*around]
    rests = paused_by or not plan.enabled
    table = plan.timetable
    return ScheduleResponse(
        id=plan.id,
        pipeline=plan.pipeline,
        name=plan.name,
        source=plan.source,
        does=plan.does,
        cron=table.cron,
        interval_s=table.interval_s,
        at=table.at,
        timezone=table.timezone,
        start=table.start,
        end=table.end,
        enabled=plan.enabled,
        paused=bool(paused_by),
        paused_by=paused_by,
        catchup=plan.catchup.policy,
        jitter_s=plan.jitter_s,
        priority=plan.priority,
        run_config_id=plan.run_config_id,
        next=[] if rests else next_fires(table, after=deps.clock(), count=count, until=until),
    )

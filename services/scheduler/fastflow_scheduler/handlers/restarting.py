"""A daemon's restart by the clock: stop, cool down, start, exactly once, whatever else wants it started."""

from datetime import datetime

from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.aggregates.schedule.commands import SettleFires
from fastflow_events.aggregates.schedule.decider import schedule_decider
from fastflow_events.aggregates.schedule.events import ScheduleFireSkipped
from fastflow_events.execute import execute
from fastflow_events.ids import run_id_of_fire
from fastflow_events.log import EventLog
from fastflow_events.message import Statement, beside
from fastflow_events.recorded import Cause
from fastflow_rules.schedules.planned import PlannedSchedule

from fastflow_scheduler.core.endings import BeingEnded, Replaced, Starting
from fastflow_scheduler.core.state.runs import ACTIVE
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers.appending import append, each
from fastflow_scheduler.handlers.asking import request


async def restart(deps: Deps, plan: PlannedSchedule, nominal: datetime) -> int:
    """Do what `nominal` wants; returns the position of what was appended last.

    | the pipeline has | then |
    |---|---|
    | a run in hand, or waiting for a retry | it is cancelled; when it has ended, one new run follows its cooldown |
    | a run in the queue, or one to come after a crash | nothing: it is starting already |
    | neither | a new run is asked for |
    """
    runs = deps.state.runs
    active = []
    queued = bool(deps.state.pending_runs.of_pipeline(plan.pipeline))
    for run_id in runs.of_pipeline.get(plan.pipeline, ()):
        open_run = runs.table.get(run_id)
        if open_run is not None and open_run.run.phase in ACTIVE:
            active.append(run_id)
        else:
            queued = True
    positions = [await append(deps, run_id, replaced(plan.id, nominal)) for run_id in active]
    if any(positions):
        return max(positions)
    if active:
        return await _leave_out(deps.log, plan, nominal, BeingEnded())
    if queued:
        return await _leave_out(deps.log, plan, nominal, Starting())
    run_id = run_id_of_fire(plan.pipeline, plan.name, nominal)
    wanted = RunRequested(
        pipeline=plan.pipeline,
        trigger=Trigger(kind="daemon_restart", who="restart_interval", schedule=plan.id, nominal=nominal),
        priority=plan.priority,
    )
    asked = await request(deps, run_id, wanted, Cause(correlation_id=run_id))
    return deps.own_writes.of(run_id) if asked else 0


async def go_on(deps: Deps) -> None:
    """Cancel what is to be replaced with runs that were cancelled already, by us or by somebody who died over it."""

    async def end(run_id: str) -> None:
        open_run = deps.state.runs.table.get(run_id)
        if open_run is not None and open_run.to_replace:
            await append(deps, run_id, replaced(*open_run.to_replace))

    await each(deps, "run", deps.state.runs.to_replace, end)


def replaced(schedule: str, nominal: datetime) -> RequestCancel:
    """The command that a run ends to be replaced by the one of an instant."""
    return RequestCancel(who="scheduler", why=Replaced(), kind="restart", schedule=schedule, nominal=nominal)


async def _leave_out(log: EventLog, plan: PlannedSchedule, nominal: datetime, reason: Statement) -> int:
    fact = ScheduleFireSkipped(
        pipeline=plan.pipeline, first=nominal, last=nominal, count=1, reason=str(reason), reason_message=beside(reason)
    )
    cause = Cause(correlation_id=plan.id)
    appended = await execute(log, schedule_decider, plan.id, SettleFires(fires=fact), cause=cause)
    return appended[-1].seq if appended else 0

"""Schedules: what is due is asked for, what is not to happen is told."""

import logging
from datetime import datetime, timedelta

from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.aggregates.schedule.commands import SettleFires
from fastflow_events.aggregates.schedule.decider import schedule_decider
from fastflow_events.aggregates.schedule.events import ScheduleFireMissed, ScheduleFireSkipped
from fastflow_events.execute import execute
from fastflow_events.ids import run_id_of_fire
from fastflow_events.log import EventLog
from fastflow_events.message import Statement, beside
from fastflow_events.recorded import Cause
from fastflow_rules.schedules.planned import PlannedSchedule
from fastflow_rules.schedules.timetable import next_fire

from fastflow_scheduler.core.agenda import Entry
from fastflow_scheduler.core.catchup import Due, NotFired, due_at, outlook
from fastflow_scheduler.core.endings import NobodyThere, WasPaused
from fastflow_scheduler.core.state.schedules import terms_of
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers.appending import each, leave
from fastflow_scheduler.handlers.asking import request
from fastflow_scheduler.handlers.restarting import restart

logger = logging.getLogger(__name__)

AGAIN = timedelta(seconds=1)
ASK_AGAIN = timedelta(seconds=5)
REASONS: dict[str, Statement] = {"missed": NobodyThere(), "skipped": WasPaused()}


def plan_ahead(deps: Deps) -> None:
    """Put every schedule that changed on the agenda, where its next fire is due."""
    state = deps.state
    touched, state.schedules.touched = state.schedules.touched, set()
    for id in touched:
        plan = state.schedules.plans.get(id)
        if deps.own_writes.awaits(id, deps.state.seq):
            state.schedules.touched.add(id)
            continue
        try:
            due = _next_due(deps, plan) if plan is not None else None
        except Exception as exc:  # an odd timetable is its own schedule's affair
            logger.exception("it cannot be planned", extra={"action": "left_alone", "schedule": id})
            leave(deps, "schedule", id, exc)
            due = None
        state.agenda.set(Entry("fire", id), due)


def _next_due(deps: Deps, plan: PlannedSchedule) -> datetime | None:
    schedules = deps.state.schedules
    if schedules.rests(plan) or any(span.end is None for span in schedules.pauses_of(plan)):
        return None
    nominal = next_fire(plan.timetable, after=plan.since)
    return due_at(terms_of(plan, deps.settings.late_after_s), nominal) if nominal is not None else None


async def fire(deps: Deps, ids: list[str], now: datetime) -> None:
    """Settle what is due of these schedules, each in the order of its instants; later, when nothing may be started."""
    if deps.state.runs.capacity.hold_reason is not None:
        for id in ids:
            deps.state.agenda.set(Entry("fire", id), now + ASK_AGAIN)
        return

    async def one(id: str) -> None:
        plan = deps.state.schedules.plans.get(id)
        if plan is None or deps.own_writes.awaits(id, deps.state.seq) or deps.state.schedules.rests(plan):
            return
        deps.state.agenda.set(Entry("fire", id), now + AGAIN)  # unless the state learns that it happened
        terms = terms_of(plan, deps.settings.late_after_s)
        for step in outlook(terms, since=plan.since, now=now, pauses=deps.state.schedules.pauses_of(plan)).steps:
            seq = await _do(deps, plan, step)
            deps.own_writes.remember(id, seq)
        if deps.own_writes.awaits(id, deps.state.seq):
            deps.state.schedules.touched.add(id)

    await each(deps, "schedule", ids, one)


async def _do(deps: Deps, plan: PlannedSchedule, step: Due | NotFired) -> int:
    """Append one step; returns its position, 0 when somebody else was there."""
    match step:
        case Due(nominal=nominal) if plan.does == "restart":
            return await restart(deps, plan, nominal)
        case Due(nominal=nominal):
            run_id = run_id_of_fire(plan.pipeline, plan.name, nominal)
            wanted = RunRequested(
                pipeline=plan.pipeline,
                trigger=Trigger(kind="schedule", who=plan.name, schedule=plan.id, nominal=nominal),
                run_config_id=plan.run_config_id,
                params=plan.params,
                priority=plan.priority,
            )
            asked = await request(deps, run_id, wanted, Cause(correlation_id=run_id))
            return deps.own_writes.of(run_id) if asked else 0
        case NotFired():
            return await tell(deps.log, plan, step, REASONS[step.kind])


async def tell(log: EventLog, plan: PlannedSchedule, step: NotFired, reason: Statement) -> int:
    """Tell that fires did not happen; returns the position, 0 when it was told before."""
    kind = ScheduleFireSkipped if step.kind == "skipped" else ScheduleFireMissed
    fact = kind(
        pipeline=plan.pipeline,
        first=step.first,
        last=step.last,
        count=step.number,
        at_least=step.at_least,
        reason=str(reason),
        reason_message=beside(reason),
    )
    cause = Cause(correlation_id=plan.id)
    appended = await execute(log, schedule_decider, plan.id, SettleFires(fires=fact), cause=cause)
    action = f"fire_{step.kind}"
    logger.info("fires %s", step.kind, extra={"action": action, "schedule": plan.id, "fires": step.number})
    return appended[-1].seq if appended else 0

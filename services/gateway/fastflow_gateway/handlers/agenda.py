"""Fires of schedules: what became of them, and what is to come."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from fastflow_events.message import Statement
from fastflow_rules.queue.waits import EverythingPaused, PipelinePaused
from fastflow_rules.schedules.clock_changes import remarks_on

from fastflow_gateway.core.agenda import AgendaEntry, Coming, Fire, coming, folded
from fastflow_gateway.core.responses.agenda import AgendaRemark, AgendaResponse
from fastflow_gateway.core.responses.schedules import PausedBy
from fastflow_gateway.core.statistics.of_fires import Told, told_in
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.all_schedules import Known, every_schedule
from fastflow_gateway.rows.statistics import Window

LOOKED_AT = 20_000


class SchedulePaused(Statement, frozen=True, tag="agenda.schedule_paused"):
    """Its fires are left out."""

    english = "the schedule is paused"


REASONS: dict[PausedBy, Statement] = {
    "schedule": SchedulePaused(),
    "pipeline": PipelinePaused(),
    "everything": EverythingPaused(),
}
"""Why a fire that is to come will not happen."""


async def agenda(
    deps: Deps, since: datetime, until: datetime, *, pipeline: str | None, zone: ZoneInfo
) -> AgendaResponse:
    """Fires that are meant from `since` until before `until`."""
    now, window = deps.clock(), Window(since, until)
    schedules = await every_schedule(deps.rows, pipeline=pipeline)
    seen = await deps.rows.fires(window, pipeline, limit=LOOKED_AT) if since < now else []
    rows = await deps.rows.told_fires(window, pipeline, limit=LOOKED_AT) if since < now else []
    names = {known.plan.id: known.plan.name for known in schedules}
    past = [
        Fire(fire.nominal, fire.pipeline, _name(names, fire.schedule), "run", fire.run, fire.status) for fire in seen
    ]
    past += [_unfired(each, names) for each in told_in(rows, since=since, until=until)]
    # Thousands of fires are some processor time, and others shall be answered meanwhile.
    entries, expected, remarks = await asyncio.to_thread(_all, schedules, past, window, now, zone)
    return AgendaResponse(
        since=since,
        until=until,
        now=now,
        zone=zone.key,
        items=entries,
        remarks=remarks,
        complete=expected.is_complete and len(seen) < LOOKED_AT and len(rows) < LOOKED_AT,
    )


def _all(
    schedules: Sequence[Known], past: Sequence[Fire], window: Window, now: datetime, zone: ZoneInfo
) -> tuple[list[AgendaEntry], Coming, list[AgendaRemark]]:
    paused = {known.plan.id: REASONS[known.pauses[-1].what] for known in schedules if known.pauses}
    after = max(now, window.since)
    expected = coming((known.plan for known in schedules), paused, after, window.until)
    return folded([*past, *expected.fires], zone, now), expected, _remarks(schedules, window)


def _unfired(unfired: Told, names: dict[str, str]) -> Fire:
    fires = unfired.fires
    return Fire(
        fires.first,
        unfired.pipeline,
        _name(names, unfired.schedule),
        fires.what,
        number=fires.count,
        last=fires.last,
        reason=fires.reason,
        reason_message=fires.reason_message,
    )


def _name(names: dict[str, str], id: str) -> str:
    """What a schedule is called among those of its pipeline; of one that is gone, what its id says."""
    return names.get(id) or id.partition(":")[2] or id


def _remarks(schedules: Sequence[Known], window: Window) -> list[AgendaRemark]:
    found = [
        AgendaRemark(
            at=remark.at,
            pipeline=known.plan.pipeline,
            schedule=known.plan.name,
            text=str(remark.words),
            text_message=remark.words.message,
        )
        for known in schedules
        if known.plan.enabled
        for remark in remarks_on(known.plan.timetable, after=window.since, until=window.until)
    ]
    return sorted(found, key=lambda remark: (remark.at, remark.pipeline, remark.schedule))

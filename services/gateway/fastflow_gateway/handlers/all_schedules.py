"""The schedules of all pipelines."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from fastflow_events.errors import UntrustedError
from fastflow_rules.schedules.planned import PlannedSchedule

from fastflow_gateway.core.responses.schedules import (
    Pause,
    ScheduleResponse,
    own_pauses,
    pauses_around,
    show_schedule,
)
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.core.views.schedules import ScheduleRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.schedules import plans_of
from fastflow_gateway.ports import ReadModel

EVERYTHING = 1_000_000


class Known(NamedTuple):
    """One schedule, and what holds it back."""

    plan: PlannedSchedule
    pauses: list[Pause]


async def every_schedule(rows: ReadModel, *, pipeline: str | None = None) -> list[Known]:
    """Every schedule of every pipeline, or of one, by id; what another release has written hides no other."""
    if pipeline is None:
        pipelines = await rows.pipelines(after="", limit=EVERYTHING)
    else:
        row = await rows.pipeline(pipeline)
        pipelines = [row] if row is not None and row.status != "removed" else []
    facts: dict[str, dict[str, ScheduleRow]] = {}
    for each in await rows.schedules():
        facts.setdefault(each.pipeline, {})[each.id] = each
    of_id = {id: each for of_one in facts.values() for id, each in of_one.items()}
    settings = await rows.settings()
    found: list[Known] = []
    for row in pipelines:
        around = pauses_around(row, settings)
        found += [
            Known(plan, [*own_pauses(of_id.get(plan.id)), *around]) for plan in _plans(row, facts.get(row.name, {}))
        ]
    return sorted(found, key=lambda known: known.plan.id)


async def page_of_schedules(
    deps: Deps, *, pipeline: str | None, paused: bool | None, after: str, limit: int, count: int
) -> tuple[list[ScheduleResponse], str | None]:
    """Schedules behind an id, and the id to go on behind."""
    now = deps.clock()
    wanted = [
        known
        for known in await every_schedule(deps.rows, pipeline=pipeline)
        if known.plan.id > after and paused in (None, bool(known.pauses))
    ]
    shown = [show_schedule(known.plan, known.pauses, after=now, count=count) for known in wanted[:limit]]
    return shown, shown[-1].id if len(wanted) > limit else None


def next_fire_of(known: Known, now: datetime) -> datetime | None:
    """When it fires next; None while it rests."""
    shown = show_schedule(known.plan, known.pauses, after=now, count=1)
    return shown.next[0] if shown.next else None


def _plans(row: PipelineRow, facts: dict[str, ScheduleRow]) -> Sequence[PlannedSchedule]:
    try:
        return list(plans_of(row, facts).values())
    except UntrustedError:
        return ()

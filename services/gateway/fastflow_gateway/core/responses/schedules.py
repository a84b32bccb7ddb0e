"""How a schedule looks to people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from fastflow_events.message import Message
from fastflow_rules.schedules.planned import PlannedSchedule
from fastflow_rules.schedules.timetable import next_fires
from fastflow_rules.schedules.words import words_of
from msgspec import Struct

from fastflow_gateway.core.views.installation import SettingsRow
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.core.views.schedules import ScheduleRow

PausedBy: TypeAlias = Literal["schedule", "pipeline", "everything"]


class Pause(Struct, frozen=True, kw_only=True):
    """Something that is paused."""

    what: PausedBy
    who: str
    why: str
    """A person's words; empty when nothing was said."""
    since: datetime | None


class ScheduleResponse(Struct, frozen=True, kw_only=True):
    """One schedule of a pipeline."""

    id: str
    pipeline: str
    name: str
    source: Literal["file", "api"]
    does: Literal["run", "restart"]
    text: str
    """When it fires, in words."""
    text_message: Message
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
    pauses: list[Pause]
    """The same, with who paused it, why, and since when."""
    catchup: Literal["skip", "latest", "all"]
    jitter_s: float
    priority: int
    run_config_id: str | None
    next: list[datetime]
    """The next nominal instants; none while it is paused or disabled."""


def own_pauses(row: ScheduleRow | None) -> list[Pause]:
    """That of the schedule itself, if there is one."""
    return [_pause("schedule", row)] if row is not None and row.paused else []


def pauses_around(pipeline: PipelineRow, settings: SettingsRow | None) -> list[Pause]:
    """Those of its pipeline and of everything."""
    found = [_pause("pipeline", pipeline)] if pipeline.paused else []
    if settings is not None and settings.paused:
        found.append(_pause("everything", settings))
    return found


def show_schedule(
    plan: PlannedSchedule, pauses: Sequence[Pause], *, after: datetime, count: int, until: datetime | None = None
) -> ScheduleResponse:
    """The schedule with its next fires."""
    table, words = plan.timetable, words_of(plan.timetable)
    rests = bool(pauses) or not plan.enabled
    return ScheduleResponse(
        id=plan.id,
        pipeline=plan.pipeline,
        name=plan.name,
        source=plan.source,
        does=plan.does,
        text=str(words),
        text_message=words.message,
        cron=table.cron,
        interval_s=table.interval_s,
        at=table.at,
        timezone=table.timezone,
        start=table.start,
        end=table.end,
        enabled=plan.enabled,
        paused=bool(pauses),
        paused_by=[pause.what for pause in pauses],
        pauses=list(pauses),
        catchup=plan.catchup.policy,
        jitter_s=plan.jitter_s,
        priority=plan.priority,
        run_config_id=plan.run_config_id,
        next=[] if rests else next_fires(table, after=after, count=count, until=until),
    )


def _pause(what: PausedBy, row: ScheduleRow | PipelineRow | SettingsRow) -> Pause:
    since = datetime.fromisoformat(row.paused_at) if row.paused_at else None
    return Pause(what=what, who=row.paused_by, why=row.paused_why, since=since)


def settings_pause(settings: SettingsRow | None) -> Pause | None:
    """That of everything, if there is one."""
    return _pause("everything", settings) if settings is not None and settings.paused else None


def pipeline_pause(pipeline: PipelineRow) -> Pause | None:
    """That of a pipeline, if there is one."""
    return _pause("pipeline", pipeline) if pipeline.paused else None

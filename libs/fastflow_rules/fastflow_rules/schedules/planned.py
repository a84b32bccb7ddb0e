"""Every schedule of a pipeline, whoever said it, in one form; with the phase that it keeps over syncs. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from fastflow_events.aggregates.schedule.events import ScheduleSet
from fastflow_events.ids import schedule_id
from fastflow_events.types import Env, Seconds
from msgspec import Struct
from msgspec.structs import replace

from fastflow_rules.definition import Catchup, Definition, RunConfig
from fastflow_rules.schedules.timetable import Timetable

DEFAULT, ONCE, RESTART = "default", "@once", "@restart"
"""Names of the schedules that a file has no name for."""


class PlannedSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A schedule: what it starts, when, and since when it counts."""

    pipeline: str
    name: str
    timetable: Timetable
    source: Literal["file", "api"] = "file"
    does: Literal["run", "restart"] = "run"
    """`restart` replaces the pipeline's runs by a new one."""
    enabled: bool = True
    catchup: Catchup = Catchup()
    jitter_s: Seconds = 0.0
    priority: int = 0
    run_config_id: str | None = None
    params: Env = {}
    since: datetime
    """Fires up to here are settled: it was first heard of, fired, skipped or missed."""

    @property
    def id(self) -> str:
        """What the rest of the world calls it."""
        return schedule_id(self.pipeline, self.name)


def plans_of_file(
    pipeline: str, definition: Definition, *, at: datetime, before: Mapping[str, PlannedSchedule]
) -> dict[str, PlannedSchedule]:
    """The schedules a file describes as of `at`, by name; one whose times did not change keeps its phase."""
    found: dict[str, PlannedSchedule] = {}
    for plan in _said(pipeline, definition, at):
        known = before.get(plan.name)
        if known is not None and _times(known) == _times(plan) and known.enabled == plan.enabled:
            table = replace(plan.timetable, anchor=known.timetable.anchor)
            plan = replace(plan, timetable=table, since=known.since)  # noqa: PLW2901 - the same schedule, aged
        found[plan.name] = plan
    return found


def plan_of_api(fact: ScheduleSet, *, at: datetime, before: PlannedSchedule | None, priority: int) -> PlannedSchedule:
    """The schedule somebody set over the API; `priority` is its pipeline's."""
    table = Timetable(
        cron=fact.cron,
        interval_s=fact.interval_s,
        at=fact.at,
        timezone=fact.timezone,
        start=fact.start,
        end=fact.end,
        anchor=at,
    )
    rule = fact.catchup
    plan = PlannedSchedule(
        pipeline=fact.pipeline,
        name=fact.name,
        timetable=table,
        source="api",
        catchup=Catchup(policy=rule.policy, within_s=rule.within_s, max_runs=rule.max_runs),
        jitter_s=fact.jitter_s,
        priority=priority if fact.priority is None else fact.priority,
        run_config_id=fact.run_config_id,
        params=fact.params,
        since=at,
    )
    if before is not None and _times(before) == _times(plan):
        table = replace(table, anchor=before.timetable.anchor)
        return replace(plan, timetable=table, since=before.since)
    return plan


def _times(plan: PlannedSchedule) -> Timetable:
    return replace(plan.timetable, anchor=None)


def _said(pipeline: str, definition: Definition, at: datetime) -> Iterator[PlannedSchedule]:
    if definition.cron is not None or definition.interval_s is not None:
        yield _plan(pipeline, DEFAULT, definition, definition, at)
    for schedule in definition.schedules:
        if schedule.cron is not None or schedule.interval_s is not None:
            plan = _plan(pipeline, schedule.id, definition, schedule, at)
            yield replace(plan, enabled=definition.enabled and schedule.enabled, run_config_id=schedule.id)
    base = PlannedSchedule(
        pipeline=pipeline,
        name=ONCE,
        timetable=Timetable(),
        enabled=definition.enabled,
        catchup=definition.catchup or Catchup(),
        priority=definition.priority or 0,
        since=at,
    )
    if definition.run_once_at is not None:
        yield replace(base, timetable=Timetable(at=definition.run_once_at))
    if definition.restart_interval is not None:
        table = _every(definition.restart_interval, at, definition.timezone or "UTC")
        yield replace(base, name=RESTART, timetable=table, does="restart", catchup=Catchup())


def _plan(pipeline: str, name: str, definition: Definition, config: RunConfig, at: datetime) -> PlannedSchedule:
    jitter = config.jitter_s if config.jitter_s is not None else definition.jitter_s
    priority = config.priority if config.priority is not None else definition.priority
    return PlannedSchedule(
        pipeline=pipeline,
        name=name,
        timetable=Timetable(
            cron=config.cron,
            interval_s=None if config.cron is not None else config.interval_s,
            timezone=config.timezone or definition.timezone or "UTC",
            start=config.start,
            end=config.end,
            anchor=at,
        ),
        enabled=definition.enabled,
        catchup=config.catchup or definition.catchup or Catchup(),
        jitter_s=jitter or 0.0,
        priority=priority or 0,
        since=at,
    )


def _every(interval: str, at: datetime, timezone: str) -> Timetable:
    """Seconds, or a crontab expression."""
    try:
        return Timetable(interval_s=float(interval), anchor=at)
    except ValueError:
        return Timetable(cron=interval, timezone=timezone)

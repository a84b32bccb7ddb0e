"""Whether the times of a schedule that was set over the API can be kept. Pure; files are judged where they are read."""

import math
from datetime import datetime
from typing import NamedTuple

from fastflow_events import instants
from fastflow_events.aggregates.schedule.events import ScheduleSet
from fastflow_events.message import Statement
from msgspec.structs import replace

from fastflow_rules.definition.values import is_cron
from fastflow_rules.schedules import faults
from fastflow_rules.schedules.timetable import MAX_INTERVAL_S
from fastflow_rules.schedules.zones import zone_names

LONGEST_JITTER_S = 86_400.0
LONGEST_TEXT = 200
HIGHEST_PRIORITY = 1000


class Fault(NamedTuple):
    """What is wrong with which member."""

    member: str
    detail: Statement


def in_utc(schedule: ScheduleSet) -> ScheduleSet:
    """The same with its instants in UTC, as in files; those that name no zone mean UTC."""
    return replace(schedule, at=_in_utc(schedule.at), start=_in_utc(schedule.start), end=_in_utc(schedule.end))


def fault_of(schedule: ScheduleSet) -> Fault | None:
    """The first thing that is wrong; None when the schedule can be kept."""
    if sum(given is not None for given in (schedule.cron, schedule.interval_s, schedule.at)) != 1:
        return Fault("cron", faults.ExactlyOne())
    if schedule.cron is not None and (len(schedule.cron) > LONGEST_TEXT or not is_cron(schedule.cron)):
        return Fault("cron", faults.NoCrontab())
    if schedule.interval_s is not None and not 1 <= schedule.interval_s <= MAX_INTERVAL_S:
        return Fault("interval_s", faults.OneSecond())
    if schedule.timezone not in zone_names():
        return Fault("timezone", faults.NoZone())
    return _fault_of_window(schedule) or _fault_of_rest(schedule)


def _fault_of_window(schedule: ScheduleSet) -> Fault | None:
    for member in ("at", "start", "end"):
        instant: datetime | None = getattr(schedule, member)
        if instant is not None and instant.tzinfo is None:
            return Fault(member, faults.NoOffset())
        if instant is not None and instants.in_utc(instant) is None:
            return Fault(member, faults.NoInstant())
    if schedule.start is not None and schedule.end is not None and schedule.start >= schedule.end:
        return Fault("end", faults.EndBeforeStart())
    return None


def _fault_of_rest(schedule: ScheduleSet) -> Fault | None:
    if not 0 <= schedule.jitter_s <= LONGEST_JITTER_S:
        return Fault("jitter_s", faults.Jitter())
    if math.isnan(schedule.catchup.within_s) or not 0 <= schedule.catchup.within_s <= MAX_INTERVAL_S:
        return Fault("catchup", faults.CatchupWithin())
    if schedule.priority is not None and abs(schedule.priority) > HIGHEST_PRIORITY:
        return Fault("priority", faults.PriorityRange(HIGHEST_PRIORITY))
    if not 0 < len(schedule.name) <= LONGEST_TEXT:
        return Fault("name", faults.NameLength(LONGEST_TEXT))
    return None


def _in_utc(at: datetime | None) -> datetime | None:
    return instants.in_utc(at) or at if at is not None else None

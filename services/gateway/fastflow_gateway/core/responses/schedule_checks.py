"""How the times of a schedule that nobody has set yet look to people."""

from datetime import datetime, timedelta

from fastflow_events.instants import later
from fastflow_events.message import Message
from fastflow_rules.schedules.clock_changes import Remark, remarks_on
from fastflow_rules.schedules.timetable import Timetable, next_fires
from fastflow_rules.schedules.words import words_of
from msgspec import Struct

NEXT = 10
AHEAD = timedelta(days=400)
"""Every change of a clock that comes once a year is within it."""


class ClockRemark(Struct, frozen=True, kw_only=True):
    """What a change of the clock does to fires."""

    at: datetime
    """When the clock is changed."""
    text: str
    text_message: Message


class ScheduleCheck(Struct, frozen=True, kw_only=True):
    """What such a schedule would do."""

    text: str
    """When it fires, in words."""
    text_message: Message
    next: list[datetime]
    """Its next ten fires."""
    remarks: list[ClockRemark]
    """What the changes of its clock in the next 400 days do to its fires."""


def show_remark(remark: Remark) -> ClockRemark:
    """The remark with its code."""
    return ClockRemark(at=remark.at, text=str(remark.words), text_message=remark.words.message)


def check(table: Timetable, *, now: datetime) -> ScheduleCheck:
    """Say when it fires. Pure."""
    words = words_of(table)
    remarks = remarks_on(table, after=now, until=later(now, AHEAD.total_seconds()))
    return ScheduleCheck(
        text=str(words),
        text_message=words.message,
        next=next_fires(table, after=now, count=NEXT),
        remarks=[show_remark(remark) for remark in remarks],
    )

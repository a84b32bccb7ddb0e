"""What a change of the clock does to the fires of a crontab. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSimError
from fastflow_events.instants import held
from fastflow_events.message import Statement

from fastflow_rules.schedules import sayings as say
from fastflow_rules.schedules.crontab import MADE_UP, Crontab, crontab
from fastflow_rules.schedules.timetable import Timetable
from fastflow_rules.schedules.zones import transition
from fastflow_rules.schedules.zones import zone as zone_of

LISTED = 5
"""Times of day that are told one by one."""
_DAY, _NONE = timedelta(days=1), timedelta(0)


class Remark(NamedTuple):
    """Something that is to be said of an instant."""

    at: datetime
    """When the clock is changed, UTC."""
    words: Statement


def remarks_on(timetable: Timetable, *, after: datetime, until: datetime) -> list[Remark]:
    """What the changes of its clock later than `after` and not later than `until` do to its fires, oldest first."""
    if timetable.cron is None:
        return []
    try:
        fires, zone = crontab(timetable.cron, timetable.timezone), zone_of(timetable.timezone)
    except (CronSimError, ValueError, KeyError):
        return []
    low = max(held(after), held(timetable.start or after))
    high = min(held(until), held(timetable.end or until))
    found = ((change, _remark(fires, change)) for change in _changes(zone, low, high))
    return [Remark(change.at, words) for change, words in found if words is not None]


class _Change(NamedTuple):
    """The clock shows `shown` and then at once `then`."""

    at: datetime
    shown: datetime
    then: datetime


def _remark(fires: Crontab, change: _Change) -> Statement | None:
    first, last = sorted((change.shown, change.then))
    readings = list(islice(fires.readings(first, last), LISTED))
    if not readings:
        return None
    times = tuple(dict.fromkeys(_clock(reading) for reading in readings))
    day, forward = first.date().isoformat(), change.then > change.shown
    if not forward:
        return say.BothTimes(day, _clock(first), _clock(last)) if fires.by_wall_clock else say.FirstTimeOnly(day, times)
    if fires.by_wall_clock or last - first > MADE_UP:
        return say.NoFires(day, _clock(first), _clock(last))
    return say.RunsLater(day, times, _clock(change.then))


def _changes(zone: ZoneInfo, low: datetime, high: datetime) -> Iterator[_Change]:
    while low < high:
        end = min(high, _midnight_after(low))
        before, behind = _offset(low, zone), _offset(end, zone)
        if before != behind:
            at = transition(zone, low.replace(microsecond=0), end)
            naive = at.replace(tzinfo=None)
            yield _Change(at, naive + before, naive + behind)
        low = end


def _midnight_after(at: datetime) -> datetime:
    day: date = (at + _DAY).date()
    return datetime.combine(day, time(), UTC)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or _NONE


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"

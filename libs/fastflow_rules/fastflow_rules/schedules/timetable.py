"""The instants a schedule means, from its description alone: a pure function of time.

`nominal` instants are exact and UTC; when a fire really happens is not known here. Nothing here raises: a timetable
that cannot be read has no fires, and no fire lies outside of the years from `instants.FIRST` to `instants.LAST`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from cronsim import CronSimError
from fastflow_events.instants import FIRST, held, in_utc, later
from fastflow_events.types import Seconds
from msgspec import Struct

from fastflow_rules.schedules.crontab import HORIZON, Crontab, crontab

MIN_INTERVAL_S = 1.0
"""Shorter intervals are this long."""
MAX_INTERVAL_S = 1e9
"""Longer ones, of more than thirty years, are this long."""
_MICROSECOND = timedelta(microseconds=1)


class Timetable(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of a crontab expression, an interval and a single instant, within an optional window."""

    cron: str | None = None
    interval_s: Seconds | None = None
    at: datetime | None = None
    timezone: str = "UTC"
    start: datetime | None = None
    """Inclusive; an interval counts from here where it is given."""
    end: datetime | None = None
    """Inclusive."""
    anchor: datetime | None = None
    """When the interval was first heard of; it counts from here where there is no start."""


def fires(timetable: Timetable, *, after: datetime, until: datetime | None = None) -> Iterator[datetime]:
    """Nominal instants later than `after` and not later than `until`, oldest first."""
    low, high = _window(timetable, after, until or later(after, HORIZON.total_seconds()))
    if low >= high:
        return iter(())
    if timetable.cron is not None:
        known = _crontab(timetable.cron, timetable.timezone)
        return known.between(low, high) if known else iter(())
    if timetable.interval_s is not None:
        return _steps(timetable, low, high)
    return iter(_single(timetable, low, high))


def fires_backwards(timetable: Timetable, *, after: datetime, until: datetime) -> Iterator[datetime]:
    """The same, newest first."""
    low, high = _window(timetable, after, until)
    if low >= high:
        return iter(())
    if timetable.cron is not None:
        known = _crontab(timetable.cron, timetable.timezone)
        return known.between_backwards(low, high) if known else iter(())
    if timetable.interval_s is not None:
        return _steps_backwards(timetable, low, high)
    return iter(_single(timetable, low, high))


def next_fire(timetable: Timetable, *, after: datetime) -> datetime | None:
    """The first nominal instant later than `after`; None when there is none any more."""
    return next(fires(timetable, after=after), None)


def next_fires(timetable: Timetable, *, after: datetime, count: int, until: datetime | None = None) -> list[datetime]:
    """At most `count` nominal instants later than `after`, oldest first."""
    return list(islice(fires(timetable, after=after, until=until), count))


def count_fires(timetable: Timetable, *, after: datetime, until: datetime, at_most: int) -> int:
    """How many nominal instants lie later than `after` and not later than `until`, counted up to `at_most`."""
    if timetable.cron is None and timetable.interval_s is not None:
        low, high = _window(timetable, after, until)
        return min(at_most, max(0, _index(timetable, high) - max(_index(timetable, low), _first(timetable) - 1)))
    return sum(1 for _ in islice(fires(timetable, after=after, until=until), at_most))


def _crontab(expression: str, zone: str) -> Crontab | None:
    """The expression; None when this release does not know it, or the zone."""
    try:
        return crontab(expression, zone)
    except (CronSimError, ValueError, KeyError):
        return None


def _window(timetable: Timetable, after: datetime, until: datetime) -> tuple[datetime, datetime]:
    low, high = held(after), held(until)
    if timetable.start is not None and (start := held(timetable.start)) > low:
        low = start - _MICROSECOND
    if timetable.end is not None:
        high = min(high, held(timetable.end))
    return low, high


def _single(timetable: Timetable, low: datetime, high: datetime) -> list[datetime]:
    at = in_utc(timetable.at) if timetable.at else None
    return [at] if at is not None and low < at <= high else []


def _step(timetable: Timetable) -> timedelta:
    interval_s = timetable.interval_s or 0.0
    return timedelta(seconds=min(interval_s, MAX_INTERVAL_S) if interval_s >= MIN_INTERVAL_S else MIN_INTERVAL_S)


def _base(timetable: Timetable) -> datetime:
    """What the interval counts from."""
    origin = timetable.start or timetable.anchor
    return (in_utc(origin) or held(origin)) if origin else FIRST


def _first(timetable: Timetable) -> int:
    """A start is the first fire, an anchor only the moment from which the first interval passes."""
    return 0 if timetable.start is not None else 1


def _index(timetable: Timetable, at: datetime) -> int:
    """Number of the last step not later than `at`."""
    return (at - _base(timetable)) // _step(timetable)


def _steps(timetable: Timetable, low: datetime, high: datetime) -> Iterator[datetime]:
    base, step = _base(timetable), _step(timetable)
    index, last = max(_index(timetable, low) + 1, _first(timetable)), _index(timetable, high)
    while index <= last:
        yield base + index * step
        index += 1


def _steps_backwards(timetable: Timetable, low: datetime, high: datetime) -> Iterator[datetime]:
    base, step = _base(timetable), _step(timetable)
    first, index = max(_index(timetable, low) + 1, _first(timetable)), _index(timetable, high)
    while index >= first:
        yield base + index * step
        index -= 1

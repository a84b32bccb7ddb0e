"""Spans of a histogram of instants: as wide as people count, with edges where their days begin. Pure."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise

from fastflow_events.instants import held
from msgspec import Struct

DAY_S = 86_400
_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY_S)
_STEPS_DAYS = (1, 2, 7, 14, 30, 90, 180, *(365 * 2**n for n in range(9)))


class Bucket(Struct, frozen=True):
    """From an instant on, before another one."""

    since: datetime
    until: datetime


def buckets(since: datetime, until: datetime, zone: tzinfo, most: int) -> list[Bucket]:
    """At most `most` buckets that hold every instant from `since` on and before `until`; `[]` when there is none.

    They are equally long, but for the first and the last one, and for those in which clocks are changed.
    """
    since, until = held(since), held(until)
    if since >= until:
        return []
    span_s = (until - since).total_seconds()
    for step_s in _STEPS_S:
        if span_s / step_s > most:
            continue
        if len(found := _cut(since, until, _within_days(since, until, zone, step_s))) <= most:
            return found
    for step in _STEPS_DAYS:
        if span_s / DAY_S / step > most:
            continue
        if len(found := _cut(since, until, _midnights(since, until, zone, step))) <= most:
            return found
    return [Bucket(since, until)]


def _cut(since: datetime, until: datetime, inner: Iterator[datetime]) -> list[Bucket]:
    edges = [since, *sorted({edge for edge in inner if since < edge < until}), until]
    return [Bucket(low, high) for low, high in pairwise(edges)]


def _midnights(since: datetime, until: datetime, zone: tzinfo, step: int) -> Iterator[datetime]:
    """The first instant of every `step`th local day, counted from a Monday in 1970, so that edges do not wander."""
    day = since.astimezone(zone).date()
    day -= timedelta(days=(day.toordinal() - _MONDAY) % step)
    while (edge := _begin(day, zone)) < until:
        yield edge
        day += timedelta(days=step)


def _within_days(since: datetime, until: datetime, zone: tzinfo, step_s: int) -> Iterator[datetime]:
    """Every `step_s` seconds of each local day, from its first instant on."""
    day = since.astimezone(zone).date()
    while (edge := _begin(day, zone)) < until:
        day += timedelta(days=1)
        end = _begin(day, zone)
        while edge < end:
            yield edge
            edge += timedelta(seconds=step_s)


def _begin(day: date, zone: tzinfo) -> datetime:
    return held(datetime(day.year, day.month, day.day, tzinfo=zone))


_MONDAY = date(1970, 1, 5).toordinal()

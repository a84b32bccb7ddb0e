"""Days as a zone has them. Pure."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fastflow_events.instants import held

HOUR_MINUTES = 60
DAY_MINUTES = 24 * HOUR_MINUTES
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Day(NamedTuple):
    """One day; half-open: it ends where the next one begins."""

    day: date
    start: datetime
    """Its first instant, UTC."""


class Stretch(NamedTuple):
    """Days that follow each other, from a minute since 1970 until before another one."""

    start: int
    end: int
    first: int
    """Number of its first day."""
    is_even: bool
    """Whether each has 24 hours; else it is one day."""

    def number_of(self, minute: int) -> int:
        """Which day one of its minutes belongs to."""
        return self.first + (minute - self.start) // DAY_MINUTES if self.is_even else self.first


class Days(NamedTuple):
    """Days that follow each other."""

    days: Sequence[Day]
    end: datetime
    """First instant behind them, UTC."""

    def stretches(self) -> list[Stretch]:
        """The days as stretches of even ones; a day of another length is one by itself."""
        starts = [minute_of(start) for start in (*(day.start for day in self.days), self.end)]
        found: list[Stretch] = []
        for number, (start, end) in enumerate(pairwise(starts)):
            even = end - start == DAY_MINUTES
            if found and even and found[-1].is_even:
                found[-1] = found[-1]._replace(end=end)
            else:
                found.append(Stretch(start, end, number, even))
        return found

    def numbering(self) -> Callable[[int], int | None]:
        """Which of them a minute since 1970 belongs to; None for one before or behind them."""
        stretches = self.stretches()

        def number_of(minute: int) -> int | None:
            found = (each for each in stretches if each.start <= minute < each.end)
            return next((each.number_of(minute) for each in found), None)

        return number_of

    def split_hours(self) -> list[int]:
        """Hours since 1970 in the middle of which a day begins."""
        starts = [minute_of(start) for start in (*(day.start for day in self.days), self.end)]
        return sorted({minute // HOUR_MINUTES for minute in starts if minute % HOUR_MINUTES})


def days_of(zone: ZoneInfo, first: date, number: int) -> Days:
    """So many days from the first one on; one whose midnight does not exist begins when the clock goes on."""
    dates = [first + index * _DAY for index in range(number)]
    return Days([Day(day, start_of(zone, day)) for day in dates], start_of(zone, first + number * _DAY))


def days_until(zone: ZoneInfo, now: datetime, number: int) -> Days:
    """So many days, the last one of which is today."""
    today = now.astimezone(zone).date()
    return days_of(zone, today - (number - 1) * _DAY, number)


def start_of(zone: ZoneInfo, day: date) -> datetime:
    """The first instant of a day, UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def minute_of(at: datetime) -> int:
    """Whole minutes since 1970."""
    return (held(at) - _EPOCH) // _MINUTE


def hour_of(at: datetime) -> int:
    """Whole hours since 1970."""
    return minute_of(at) // HOUR_MINUTES

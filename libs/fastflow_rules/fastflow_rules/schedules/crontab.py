"""When a crontab expression matches, instant by instant, in either direction and in any time zone. Pure.

Jobs whose minute or hour begins with a star follow the wall clock: an hour that does not exist has no fires, an hour
that exists twice has them twice. All others mean a time of day: one that does not exist is made up for at the end of
the gap, one that exists twice counts once. A gap of more than three hours is no daylight saving but a day (or part of
one) that never was; nothing is made up for it.

Source: cron(8) of Debian, which does the same.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from cronsim import CronSim

from fastflow_rules.schedules.zones import transition
from fastflow_rules.schedules.zones import zone as zone_of

NAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MADE_UP = timedelta(hours=3)
HORIZON = timedelta(days=366 * 30)
"""Nothing that is further away is found."""
_ANY = datetime(2026, 1, 1, tzinfo=UTC)
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


class Crontab:
    """One expression in one time zone."""

    def __init__(self, expression: str, zone: str) -> None:
        fields = NAMES.get(expression.strip().lower(), expression).upper().split()
        self._parsed = CronSim(" ".join(fields), _ANY)
        clock = fields[-5:-3]
        if len(fields) == 6:
            clock.insert(0, fields[0])
        self.by_wall_clock = any(field.startswith("*") for field in clock)
        self._times = (sorted(self._parsed.hours), sorted(self._parsed.minutes), sorted(self._parsed.seconds))
        self._zone = zone_of(zone)

    @property
    def fields(self) -> CronSim:
        """What each field allows."""
        return self._parsed

    def readings(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """Readings of the wall clock from `low` to before `high` that match, whether the clock ever shows them."""
        return self._walls(low, high, backwards=False)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Instants later than `after` and not later than `until`, oldest first, UTC."""
        return self._found(after, until, backwards=False)

    def between_backwards(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The same, newest first."""
        return self._found(after, until, backwards=True)

    def _found(self, after: datetime, until: datetime, *, backwards: bool) -> Iterator[datetime]:
        walk = self._by_segments if self.by_wall_clock else self._by_days
        last: datetime | None = None
        for instant in walk(after, until, backwards):
            if after < instant <= until and instant != last:
                last = instant
                yield instant

    def _by_days(self, after: datetime, until: datetime, backwards: bool) -> Iterator[datetime]:
        """Times of day, each mapped to the first instant that has it."""
        low = after.astimezone(self._zone).replace(tzinfo=None) - MADE_UP
        high = until.astimezone(self._zone).replace(tzinfo=None)
        for wall in self._walls(low, high + _HOUR, backwards):
            instant = self._first_instant(wall)
            if instant is not None:
                yield instant

    def _first_instant(self, wall: datetime) -> datetime | None:
        local = wall.replace(tzinfo=self._zone)
        instant = local.astimezone(UTC)
        if instant.astimezone(self._zone).replace(tzinfo=None) == wall:
            return instant
        before, behind = local.utcoffset(), local.replace(fold=1).utcoffset()
        assert before is not None
        assert behind is not None
        gap = behind - before
        if gap > MADE_UP:
            return None
        return transition(self._zone, instant - gap, instant)

    def _by_segments(self, after: datetime, until: datetime, backwards: bool) -> Iterator[datetime]:
        """The wall clock between any two changes of it is even; each such stretch is read by itself."""
        low, high = after.replace(microsecond=0), until + timedelta(seconds=1)
        for start, end in _days(low, high, backwards):
            cuts = [start, end]
            if start.astimezone(self._zone).utcoffset() != end.astimezone(self._zone).utcoffset():
                cuts.insert(1, transition(self._zone, start, end))
            stretches = list(pairwise(cuts))
            for first, last in reversed(stretches) if backwards else stretches:
                offset = first.astimezone(self._zone).utcoffset()
                assert offset is not None
                wall, beyond = first.replace(tzinfo=None) + offset, last.replace(tzinfo=None) + offset
                for found in self._walls(wall, beyond, backwards):
                    yield (found - offset).replace(tzinfo=UTC)

    def _walls(self, low: datetime, high: datetime, backwards: bool) -> Iterator[datetime]:
        """Readings of the wall clock from `low` to before `high` that match."""
        hours, minutes, seconds = self._times
        sign = -1 if backwards else 1
        day, last = (high.date(), low.date()) if backwards else (low.date(), high.date())
        while (last - day).days * sign >= 0:
            if not self._matches(day):
                day = self._next_month(day, sign) if day.month not in self._parsed.months else day + sign * _DAY
                continue
            for hour in hours[::sign]:
                at = datetime.combine(day, time(hour))
                if at >= high or at + _HOUR <= low:
                    continue
                for minute in minutes[::sign]:
                    whole = at.replace(minute=minute)
                    if whole >= high or whole + _MINUTE <= low:
                        continue
                    for second in seconds[::sign]:
                        if low <= (wall := whole.replace(second=second)) < high:
                            yield wall
            day += sign * _DAY

    def _matches(self, day: date) -> bool:
        return day.month in self._parsed.months and self._parsed.match_day(day)

    @staticmethod
    def _next_month(day: date, sign: int) -> date:
        if sign > 0:
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        return day.replace(day=1) - _DAY


def _days(low: datetime, high: datetime, backwards: bool) -> Iterator[tuple[datetime, datetime]]:
    """Cut a stretch of time into days of UTC."""
    if backwards:
        while high > low:
            start = max(low, high - _DAY)
            yield start, high
            high = start
    else:
        while low < high:
            end = min(high, low + _DAY)
            yield low, end
            low = end


@lru_cache(maxsize=4096)
def crontab(expression: str, zone: str = "UTC") -> Crontab:
    """The expression, read once.

    Raises:
        cronsim.CronSimError: it is none.
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    return Crontab(expression, zone)

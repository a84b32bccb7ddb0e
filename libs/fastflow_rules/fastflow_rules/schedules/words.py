"""When a timetable fires, in words. Pure, and total: what cannot be read never fires."""

from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from typing import NamedTuple

from cronsim import CronSim, CronSimError
from fastflow_events.instants import held
from fastflow_events.message import Statement

from fastflow_rules.schedules import sayings as say
from fastflow_rules.schedules.calendar_names import MONTHS, WEEKDAYS, And, Span
from fastflow_rules.schedules.crontab import crontab
from fastflow_rules.schedules.timetable import MAX_INTERVAL_S, MIN_INTERVAL_S, Timetable

FEW = 12
"""Times of day that are listed one by one."""
RUN = 3
"""Neighbours that are told as a range."""


def words_of(timetable: Timetable) -> Statement:
    """When it fires; its zone and its window stand beside it."""
    if timetable.cron is not None:
        try:
            return _of_crontab(crontab(timetable.cron, timetable.timezone).fields)
        except (CronSimError, ValueError, KeyError):
            return say.Never()
    if timetable.interval_s is not None:
        return _of_interval(min(max(timetable.interval_s, MIN_INTERVAL_S), MAX_INTERVAL_S))
    if timetable.at is not None:
        return say.Once(held(timetable.at).isoformat().replace("+00:00", "Z"))
    return say.Never()


def _of_interval(seconds: float) -> Statement:
    for length, kind in ((86_400, say.EveryDays), (3600, say.EveryHours), (60, say.EveryMinutes)):
        if seconds % length == 0:
            return kind(int(seconds // length))
    return say.EverySeconds(int(seconds)) if seconds == int(seconds) else say.EveryFraction(seconds)


def _of_crontab(fields: CronSim) -> Statement:
    times, evenly = _times(fields)
    days = _days(fields)
    phrase = times if evenly and isinstance(days, say.EveryDay) else say.OnDays(times, days)
    months = sorted(fields.months)
    return phrase if len(months) == len(MONTHS) else say.InMonths(phrase, _strung(_named(_runs(months), MONTHS)))


def _times(fields: CronSim) -> tuple[Statement, bool]:
    """When on a day, and whether that goes on over midnight as if there were no days."""
    seconds, minutes, hours = (sorted(values) for values in (fields.seconds, fields.minutes, fields.hours))
    whole = len(hours) == 24
    if len(seconds) > 1 and len(minutes) == 60:
        step = _step(seconds, 60)
        every: Statement = say.EverySeconds(step) if step else say.AtSeconds(say.EveryMinutes(1), _codes(seconds))
        return (every, True) if whole else (say.WithinHours(every, _codes(hours)), False)
    phrase, evenly = _minutes(minutes, hours, seconds[0] if len(seconds) == 1 else None)
    if len(seconds) > 1 or (seconds[0] and not isinstance(phrase, say.AtTimes)):
        return say.AtSeconds(phrase, _codes(seconds)), evenly
    return phrase, evenly


def _minutes(minutes: Sequence[int], hours: Sequence[int], second: int | None) -> tuple[Statement, bool]:
    every_minutes, every_hours = _step(minutes, 60), _step(hours, 24)
    if every_minutes:
        evenly = say.EveryMinutes(every_minutes)
        return (evenly, True) if len(hours) == 24 else (say.WithinHours(evenly, _codes(hours)), False)
    if every_hours and every_hours < FEW:
        return say.AtMinutes(say.EveryHours(every_hours), _codes(minutes)), True
    if len(minutes) * len(hours) <= FEW:
        behind = f":{second:02}" if second else ""
        return say.AtTimes(tuple(f"{hour:02}:{minute:02}{behind}" for hour in hours for minute in minutes)), False
    return say.MinutesOfHours(_codes(minutes), _codes(hours)), False


def _days(fields: CronSim) -> Statement:
    plain = {day % 7 or 7 for day in fields.weekdays if isinstance(day, int)}
    odd = sorted(day for day in fields.weekdays if not isinstance(day, int))
    every_weekday, every_day = len(plain) == len(WEEKDAYS), set(range(1, 32)) <= set(fields.days)
    weekdays, month_days = _weekdays(plain, odd), _month_days(fields.days)
    if fields.day_and:
        if every_weekday:
            return say.EveryDay() if every_day else month_days
        return weekdays if every_day else say.BothDays(month_days, weekdays)
    return say.EveryDay() if every_weekday or every_day else say.EitherDay(month_days, weekdays)


def _weekdays(plain: Iterable[int], odd: Iterable[tuple[int, int]]) -> Statement:
    names = _named(_runs(sorted(plain)), WEEKDAYS)
    for day, nth in odd:
        name = WEEKDAYS[(day + 6) % 7]
        names.append(say.LastOfWeekday(name) if nth == CronSim.LAST else say.NthWeekday(name, nth))
    return say.Weekdays(_strung(names))


def _month_days(days: Collection[int]) -> Statement:
    numbers = sorted(day for day in days if day > 0)
    kinds: list[Statement] = [say.MonthDays(_codes(numbers))] if numbers else []
    if CronSim.LAST in days:
        kinds.append(say.LastDay())
    if CronSim.LAST_WEEKDAY in days:
        kinds.append(say.LastWorkingDay())
    return reduce(say.EitherDay, kinds)


class _Run(NamedTuple):
    """Neighbours, from the first to the last."""

    first: int
    last: int

    @property
    def code(self) -> str:
        """As a crontab writes it."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def _runs(values: Sequence[int]) -> list[_Run]:
    """Numbers in order as ranges; two neighbours stay two."""
    found: list[_Run] = []
    for value in values:
        if found and found[-1].last == value - 1:
            found[-1] = _Run(found[-1].first, value)
        else:
            found.append(_Run(value, value))
    split = [[run] if run.last - run.first + 1 >= RUN else [_Run(n, n) for n in (run.first, run.last)] for run in found]
    return [run for part in split for run in dict.fromkeys(part)]


def _codes(values: Sequence[int]) -> tuple[str, ...]:
    return tuple(run.code for run in _runs(values))


def _named(runs: Iterable[_Run], names: Sequence[Statement]) -> list[Statement]:
    named = ((names[run.first - 1], names[run.last - 1]) for run in runs)
    return [first if first == last else Span(first, last) for first, last in named]


def _strung(names: Sequence[Statement]) -> Statement:
    return reduce(And, names)


def _step(values: Sequence[int], size: int) -> int:
    """How far apart they are when they are even, also over the end; 0 when they are not."""
    step = size // len(values)
    return step if len(values) > 1 and list(values) == list(range(0, size, step)) and size % step == 0 else 0

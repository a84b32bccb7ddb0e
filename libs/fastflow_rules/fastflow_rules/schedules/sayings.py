"""What is said of when a schedule fires, and of what a change of the clock does to it.

Minutes, hours and days of the month are told as a crontab writes them: `1`, `1-5`.
"""

from fastflow_events.message import Instant, Statement


class Once(Statement, frozen=True, tag="when.once"):
    """One single fire."""

    english = "once, at {at}"
    at: Instant


class Never(Statement, frozen=True, tag="when.never"):
    """No fire at all."""

    english = "never"


class EverySeconds(Statement, frozen=True, tag="when.every_seconds"):
    """Evenly."""

    english = "every {number, plural, one {second} other {# seconds}}"
    number: int


class EveryFraction(Statement, frozen=True, tag="when.every_fraction"):
    """Evenly, and not in whole seconds."""

    english = "every {seconds} seconds"
    seconds: float


class EveryMinutes(Statement, frozen=True, tag="when.every_minutes"):
    """Evenly."""

    english = "every {number, plural, one {minute} other {# minutes}}"
    number: int


class EveryHours(Statement, frozen=True, tag="when.every_hours"):
    """Evenly."""

    english = "every {number, plural, one {hour} other {# hours}}"
    number: int


class EveryDays(Statement, frozen=True, tag="when.every_days"):
    """Evenly, counted from an instant and not by the clock."""

    english = "every {number, plural, one {day} other {# days}}"
    number: int


class AtTimes(Statement, frozen=True, tag="when.at_times"):
    """Times of day."""

    english = "at {times}"
    times: tuple[str, ...]


class AtMinutes(Statement, frozen=True, tag="when.at_minutes"):
    """In every hour, or every so many."""

    english = "{hours} at minute {minutes}"
    hours: Statement
    minutes: tuple[str, ...]


class MinutesOfHours(Statement, frozen=True, tag="when.minutes_of_hours"):
    """More times of day than anybody wants to read."""

    english = "at minute {minutes} of hour {hours}"
    minutes: tuple[str, ...]
    hours: tuple[str, ...]


class WithinHours(Statement, frozen=True, tag="when.within_hours"):
    """Evenly, in some hours only."""

    english = "{evenly} of hour {hours}"
    evenly: Statement
    hours: tuple[str, ...]


class AtSeconds(Statement, frozen=True, tag="when.at_seconds"):
    """Of each of these minutes."""

    english = "{minutes}, at second {seconds}"
    minutes: Statement
    seconds: tuple[str, ...]


class OnDays(Statement, frozen=True, tag="when.on_days"):
    """Times, and on which days."""

    english = "{times} {days}"
    times: Statement
    days: Statement


class EveryDay(Statement, frozen=True, tag="when.every_day"):
    """No day is left out."""

    english = "every day"


class Weekdays(Statement, frozen=True, tag="when.weekdays"):
    """Days of the week."""

    english = "on {names}"
    names: Statement


class NthWeekday(Statement, frozen=True, tag="when.nth_weekday"):
    """Once a month."""

    english = "{weekday} number {nth} of the month"
    weekday: Statement
    nth: int


class LastOfWeekday(Statement, frozen=True, tag="when.last_of_weekday"):
    """Once a month."""

    english = "the last {weekday} of the month"
    weekday: Statement


class MonthDays(Statement, frozen=True, tag="when.month_days"):
    """Days of the month."""

    english = "on day {days} of the month"
    days: tuple[str, ...]


class LastDay(Statement, frozen=True, tag="when.last_day"):
    """However long the month is."""

    english = "on the last day of the month"


class LastWorkingDay(Statement, frozen=True, tag="when.last_working_day"):
    """However long the month is."""

    english = "on the last day of the month that is no Saturday or Sunday"


class EitherDay(Statement, frozen=True, tag="when.either_day"):
    """Several are named, and each of them is enough."""

    english = "{one} or {other}"
    one: Statement
    other: Statement


class BothDays(Statement, frozen=True, tag="when.both_days"):
    """One field of days begins with a star: both must hold."""

    english = "{month_days}, if that is {weekdays}"
    month_days: Statement
    weekdays: Statement


class InMonths(Statement, frozen=True, tag="when.in_months"):
    """Some months only."""

    english = "{days} in {names}"
    days: Statement
    names: Statement


class RunsLater(Statement, frozen=True, tag="clock.runs_later"):
    """The clock is put forward over it."""

    english = "on {day} the clock leaves out {times}: it runs at {then}"
    day: str
    times: tuple[str, ...]
    then: str


class NoFires(Statement, frozen=True, tag="clock.no_fires"):
    """The clock is put forward over it, and nothing is made up for."""

    english = "on {day} the clock leaves out {first} to {last}: there are no fires then"
    day: str
    first: str
    last: str


class FirstTimeOnly(Statement, frozen=True, tag="clock.first_time_only"):
    """The clock is put back over it."""

    english = "on {day} the clock shows {times} twice: it runs the first time only"
    day: str
    times: tuple[str, ...]


class BothTimes(Statement, frozen=True, tag="clock.both_times"):
    """The clock is put back over it, and it goes by the clock."""

    english = "on {day} the clock shows {first} to {last} twice: it fires both times"
    day: str
    first: str
    last: str

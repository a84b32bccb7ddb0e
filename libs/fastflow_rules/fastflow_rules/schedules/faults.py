"""What is wrong with the times of a schedule."""

from fastflow_events.message import Statement


class ExactlyOne(Statement, frozen=True, tag="times.exactly_one"):
    """When it fires."""

    english = "say exactly one of cron, interval_s and at"


class NoCrontab(Statement, frozen=True, tag="times.no_crontab"):
    """When it fires."""

    english = "not a crontab expression"


class OneSecond(Statement, frozen=True, tag="times.one_second"):
    """How often it fires."""

    english = "at least one second"


class NoZone(Statement, frozen=True, tag="times.no_zone"):
    """Where its clock hangs."""

    english = 'not a name of the time zone database, as in "Europe/Berlin"'


class NoOffset(Statement, frozen=True, tag="times.no_offset"):
    """It could mean several."""

    english = "an instant needs its offset from UTC"


class NoInstant(Statement, frozen=True, tag="times.no_instant"):
    """Nobody could compute with it."""

    english = "an instant that exists in UTC, of the years 1 to 9999"


class EndBeforeStart(Statement, frozen=True, tag="times.end_before_start"):
    """A window that opens before it closes."""

    english = "an instant after start"


class Jitter(Statement, frozen=True, tag="times.jitter"):
    """How much later it may fire."""

    english = "from 0 to a day"


class CatchupWithin(Statement, frozen=True, tag="times.catchup_within"):
    """How late is not too late."""

    english = "within_s is from 0 to thirty years"


class PriorityRange(Statement, frozen=True, tag="times.priority_range"):
    """The place in the queue."""

    english = "from -{most} to {most}"
    most: int


class NameLength(Statement, frozen=True, tag="times.name_length"):
    """What it is called."""

    english = "1 to {most} characters"
    most: int

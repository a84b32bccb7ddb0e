"""What the author of a file should know although the file can be used."""

from fastflow_events.message import Statement


class UnknownMember(Statement, frozen=True, tag="remark.unknown_member"):
    """Of an object."""

    english = "{name} is not known and ignored"
    name: str


class UnknownMemberLike(Statement, frozen=True, tag="remark.unknown_member_like"):
    """Of an object."""

    english = "{name} is not known and ignored; did you mean {like}?"
    name: str
    like: str


class LongStep(Statement, frozen=True, tag="remark.long_step"):
    """Of a crontab."""

    english = "{part} steps over all {size} {unit} there are, so only the first one counts"
    part: str
    size: int
    unit: str


class WaitIsQueue(Statement, frozen=True, tag="remark.wait_is_queue"):
    """An older word."""

    english = '"wait" is called "queue" now'


class NoGroup(Statement, frozen=True, tag="remark.no_group"):
    """A limit of which nobody else knows."""

    english = "fastflow.json has no group {group}"
    group: str


class GroupLimitIs(Statement, frozen=True, tag="remark.group_limit_is"):
    """Two files differ."""

    english = "fastflow.json says that the limit is {limit}, and that counts"
    limit: int


class ParamUnset(Statement, frozen=True, tag="remark.param_unset"):
    """Its scheduled runs would be refused."""

    english = "{param} is required, and no schedule can give it"
    param: str


class OwnTimesUnused(Statement, frozen=True, tag="remark.own_times_unused"):
    """Two ways to say when."""

    english = "schedules is there, so the file''s own {members} do not count"
    members: tuple[str, ...]


class KeyGuessable(Statement, frozen=True, tag="remark.key_guessable"):
    """Of a webhook."""

    english = "a webhook key of less than {least} characters can be guessed"
    least: int


class VariableFixed(Statement, frozen=True, tag="remark.variable_fixed"):
    """Of environment variables."""

    english = "{name} is set for every run and cannot be changed"
    name: str


class GivenTwice(Statement, frozen=True, tag="remark.given_twice"):
    """Of an object."""

    english = "{name} is given twice in one object; the last one counts"
    name: str


class NoDelays(Statement, frozen=True, tag="remark.no_delays"):
    """Of retries."""

    english = "a custom schedule without delays waits 60 seconds"


class CronWins(Statement, frozen=True, tag="remark.cron_wins"):
    """Two ways to say when."""

    english = "schedule_cron wins over schedule_interval_seconds"


class NeverByItself(Statement, frozen=True, tag="remark.never_by_itself"):
    """Of a schedule."""

    english = "without schedule_cron and schedule_interval_seconds it never runs by itself, only when it is chosen"

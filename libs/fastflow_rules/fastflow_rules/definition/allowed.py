"""What would be right in place of what was found."""

from fastflow_events.message import Statement


class TrueOrFalse(Statement, frozen=True, tag="allowed.true_or_false"):
    """A switch."""

    english = "true or false"


class NumberAbove(Statement, frozen=True, tag="allowed.number_above"):
    """The bound is excluded."""

    english = "a number above {above}"
    above: float


class NumberFrom(Statement, frozen=True, tag="allowed.number_from"):
    """With both bounds."""

    english = "a number from {minimum} to {maximum}"
    minimum: float
    maximum: float


class WholeNumberFrom(Statement, frozen=True, tag="allowed.whole_number_from"):
    """With both bounds."""

    english = "a whole number from {minimum} to {maximum}"
    minimum: int
    maximum: int


class TextUpTo(Statement, frozen=True, tag="allowed.text_up_to"):
    """It may be blank."""

    english = "text of at most {most} characters"
    most: int


class WordsUpTo(Statement, frozen=True, tag="allowed.words_up_to"):
    """It may not be blank."""

    english = "text of at most {most} characters, not blank"
    most: int


class Option(Statement, frozen=True, tag="allowed.option"):
    """One of a few words, as JSON has it."""

    english = "{text}"
    text: str


class Either(Statement, frozen=True, tag="allowed.either"):
    """Two that are allowed, of which the first may be two."""

    english = "{first} or {other}"
    first: Statement
    other: Statement


class ScalarUpTo(Statement, frozen=True, tag="allowed.scalar_up_to"):
    """A single value."""

    english = "text of at most {most} characters, a number, true or false"
    most: int


class ListUpTo(Statement, frozen=True, tag="allowed.list_up_to"):
    """A list."""

    english = "a list of at most {most}"
    most: int


class MembersUpTo(Statement, frozen=True, tag="allowed.members_up_to"):
    """An object with names of its own."""

    english = "an object of at most {most} members"
    most: int


class AnObject(Statement, frozen=True, tag="allowed.an_object"):
    """An object."""

    english = "an object"


class AJsonObject(Statement, frozen=True, tag="allowed.a_json_object"):
    """What the whole file is."""

    english = "a JSON object"


class EveryReader(Statement, frozen=True, tag="allowed.every_reader"):
    """Some would refuse it."""

    english = "what every reader of JSON takes"


class Memory(Statement, frozen=True, tag="allowed.memory"):
    """An amount of memory."""

    english = 'memory of at least 6 MB, as in "512m", "1.5g" or a number of bytes'


class Moment(Statement, frozen=True, tag="allowed.moment"):
    """An instant, or a day."""

    english = 'an ISO 8601 date or instant, as in "2026-01-31" or "2026-01-31T08:00:00Z"'


class Cron(Statement, frozen=True, tag="allowed.cron"):
    """When something happens."""

    english = 'five crontab fields, as in "*/15 8-18 * * 1-5", or a name such as "@daily"'


class Zone(Statement, frozen=True, tag="allowed.zone"):
    """Where a clock hangs."""

    english = 'a name of the time zone database, as in "Europe/Berlin"'


class RestartInterval(Statement, frozen=True, tag="allowed.restart_interval"):
    """When it is begun anew."""

    english = "seconds above 0 or five crontab fields"


class PythonVersion(Statement, frozen=True, tag="allowed.python_version"):
    """One that can be installed."""

    english = 'a version as text, as in "3.12" or "pypy3.10"'


class PoolName(Statement, frozen=True, tag="allowed.pool_name"):
    """A pool of runners."""

    english = "1 to 64 letters, digits, _ and -"


class Pattern(Statement, frozen=True, tag="allowed.pattern"):
    """Files that are kept."""

    english = 'a path or pattern inside the folder, as in "out/**/*.csv"'


class VariablesUpTo(Statement, frozen=True, tag="allowed.variables_up_to"):
    """Environment variables."""

    english = "an object of at most {most} names with text values"
    most: int


class VariableName(Statement, frozen=True, tag="allowed.variable_name"):
    """What an operating system takes."""

    english = "a name of an environment variable: not blank, without = and NUL"


class VariableValue(Statement, frozen=True, tag="allowed.variable_value"):
    """Of an environment variable."""

    english = 'text, as in "5432"'


class Network(Statement, frozen=True, tag="allowed.network"):
    """Where runs may connect."""

    english = '"none" or "internet" or a list of 1 to {most} targets'
    most: int


class TargetText(Statement, frozen=True, tag="allowed.target_text"):
    """One of those targets."""

    english = "text, as in a network''s address"


class AfterStart(Statement, frozen=True, tag="allowed.after_start"):
    """A window that opens before it closes."""

    english = "an instant after schedule_start"


class BytesUpTo(Statement, frozen=True, tag="allowed.bytes_up_to"):
    """Size."""

    english = "at most {most} bytes"
    most: int


class DepthUpTo(Statement, frozen=True, tag="allowed.depth_up_to"):
    """Objects and lists."""

    english = "at most {most} within each other"
    most: int


class PathUpTo(Statement, frozen=True, tag="allowed.path_up_to"):
    """As deep as results are nested."""

    english = "a path of at most {most} steps"
    most: int


class OnePipeline(Statement, frozen=True, tag="allowed.one_pipeline"):
    """A list that is not empty."""

    english = "at least one pipeline"


class OtherNames(Statement, frozen=True, tag="allowed.other_names"):
    """No name twice."""

    english = "a different name for each parameter"


class OtherIds(Statement, frozen=True, tag="allowed.other_ids"):
    """No id twice."""

    english = "a different id for each schedule"


class OtherKeys(Statement, frozen=True, tag="allowed.other_keys"):
    """No key twice."""

    english = "a different key for the pipeline and each of its schedules"


class SecretName(Statement, frozen=True, tag="allowed.secret_name"):
    """A name alone."""

    english = "the name of a secret, without ="


class NextPipeline(Statement, frozen=True, tag="allowed.next_pipeline"):
    """Of a chain."""

    english = "the pipeline to run next"


class PipelinesBefore(Statement, frozen=True, tag="allowed.pipelines_before"):
    """Of a chain."""

    english = "the pipelines that must have succeeded"


class GroupRuns(Statement, frozen=True, tag="allowed.group_runs"):
    """Of a concurrency group."""

    english = "runs of the whole group at once"


class GroupName(Statement, frozen=True, tag="allowed.group_name"):
    """Of a concurrency group."""

    english = "the name of the group"


class ScheduleId(Statement, frozen=True, tag="allowed.schedule_id"):
    """Of a schedule."""

    english = "a name, unique in the file"

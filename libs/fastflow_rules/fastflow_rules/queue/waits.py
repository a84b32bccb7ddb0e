"""What a run waits for, each thing a statement of its own."""

from fastflow_events.message import Instant, Statement


class EverythingPaused(Statement, frozen=True, tag="waits.everything_paused"):
    """Somebody holds all new runs back."""

    english = "everything is paused"


class LogFull(Statement, frozen=True, tag="waits.log_full"):
    """The log has little room left."""

    english = "the log is {percent}% full, and the rest is kept for ending what runs"
    percent: int


class DiskFull(Statement, frozen=True, tag="waits.disk_full"):
    """The disk of the log has little room left."""

    english = "the disk is full but for {free_mib} MiB, and the rest is kept for ending what runs; make room"
    free_mib: int


class PlacesTaken(Statement, frozen=True, tag="waits.places_taken"):
    """As many runs as may run at once do."""

    english = "all {most} places are taken"
    most: int


class PipelineDoubted(Statement, frozen=True, tag="waits.pipeline_doubted"):
    """Nobody knows what the pipeline's facts say."""

    english = "a fact about the pipeline cannot be read, so nothing of it is started; fastflow doctor names it"


class PipelinePaused(Statement, frozen=True, tag="waits.pipeline_paused"):
    """Somebody holds its new runs back."""

    english = "the pipeline is paused"


class PipelineLimit(Statement, frozen=True, tag="waits.pipeline_limit"):
    """As many runs of the pipeline as may run at once do."""

    english = "{active} of at most {most} runs of this pipeline are active"
    active: int
    most: int


class GroupLimit(Statement, frozen=True, tag="waits.group_limit"):
    """As many runs of a concurrency group as may run at once do."""

    english = "{active} of at most {most} runs of group {group} are active"
    active: int
    most: int
    group: str


class NoRunner(Statement, frozen=True, tag="waits.no_runner"):
    """Nobody takes work from the pool."""

    english = "no runner of pool {pool} is alive"
    pool: str


class NoSlot(Statement, frozen=True, tag="waits.no_slot"):
    """All runners of the pool are busy."""

    english = "no free slot: pool {pool} has {runners, plural, one {# live runner} other {# live runners}}"
    pool: str
    runners: int


class Nothing(Statement, frozen=True, tag="waits.nothing"):
    """It could start."""

    english = "nothing is short: a scheduler admits it next"


class Code(Statement, frozen=True, tag="waits.code"):
    """The files of its commit are not stored yet."""

    english = "its code: commit {commit} is being fetched"
    commit: str


class Runner(Statement, frozen=True, tag="waits.runner"):
    """It was admitted, and no runner has taken it yet."""

    english = "waiting for a runner"


class NextAttempt(Statement, frozen=True, tag="waits.next_attempt"):
    """It failed and will be tried again."""

    english = "the instant of its next attempt, {due}"
    due: Instant


class UnknownPlace(Statement, frozen=True, tag="waits.unknown_place"):
    """Nobody has looked at the queue since it came."""

    english = "its place, which is not known yet"

"""What the facts of a run mean for it, each meaning a statement of its own."""

from fastflow_events.message import Instant, Statement


class Somebody(Statement, frozen=True, tag="why.somebody"):
    """Whoever it was did not say who."""

    english = "somebody"


class Restart(Statement, frozen=True, tag="why.restart"):
    """Nobody: a run is begun anew by itself."""

    english = "a restart"


class ScheduleAsked(Statement, frozen=True, tag="why.schedule_asked"):
    """By the clock."""

    english = "schedule {schedule} asked for a run of {pipeline}"
    schedule: str
    pipeline: str


class ScheduleMeant(Statement, frozen=True, tag="why.schedule_meant"):
    """By the clock, and for which instant."""

    english = "schedule {schedule}, meant for {nominal}, asked for a run of {pipeline}"
    schedule: str
    nominal: Instant
    pipeline: str


class RunsAsked(Statement, frozen=True, tag="why.runs_asked"):
    """A chain that waited for several runs."""

    english = "the runs {runs} together asked for a run of {pipeline}"
    runs: tuple[str, ...]
    pipeline: str


class EndAsked(Statement, frozen=True, tag="why.end_asked"):
    """A chain."""

    english = "the end of run {run} of {of} asked for a run of {pipeline}"
    run: str
    of: str
    pipeline: str


class BackfillAsked(Statement, frozen=True, tag="why.backfill_asked"):
    """One of many for instants of the past."""

    english = "backfill {backfill} asked for a run of {pipeline}"
    backfill: str
    pipeline: str


class BackfillMeant(Statement, frozen=True, tag="why.backfill_meant"):
    """One of many for instants of the past, and for which one."""

    english = "backfill {backfill}, meant for {nominal}, asked for a run of {pipeline}"
    backfill: str
    nominal: Instant
    pipeline: str


class WhoAsked(Statement, frozen=True, tag="why.who_asked"):
    """A restart that follows no run."""

    english = "{who} asked for a run of {pipeline}"
    who: Statement
    pipeline: str


class AskedAfter(Statement, frozen=True, tag="why.asked_after"):
    """A restart after the end of a run."""

    english = "{who} after run {run} asked for a run of {pipeline}"
    who: Statement
    run: str
    pipeline: str


class AskedOnceMore(Statement, frozen=True, tag="why.asked_once_more"):
    """Somebody wanted a run again."""

    english = "{who} asked over {door} for run {run} once more, that is for a run of {pipeline}"
    who: Statement
    door: str
    run: str
    pipeline: str


class AskedOver(Statement, frozen=True, tag="why.asked_over"):
    """Somebody, and over which door."""

    english = "{who} asked over {door} for a run of {pipeline}"
    who: Statement
    door: str
    pipeline: str


class Refused(Statement, frozen=True, tag="why.refused"):
    """It will not be executed."""

    english = "refused ({reason}): {detail}"
    reason: str
    detail: Statement


class Admitted(Statement, frozen=True, tag="why.admitted"):
    """It has a place."""

    english = "attempt {attempt} was admitted and waits for a runner of pool {pool}"
    attempt: int
    pool: str


class Withdrawn(Statement, frozen=True, tag="why.withdrawn"):
    """It has its place no more."""

    english = "attempt {attempt} went back into the queue: {reason}"
    attempt: int
    reason: Statement


class Taken(Statement, frozen=True, tag="why.taken"):
    """A runner has it."""

    english = "runner {runner} took attempt {attempt} and prepares it"
    runner: str
    attempt: int


class TakenOver(Statement, frozen=True, tag="why.taken_over"):
    """Another runner, or the same one after a restart, has it."""

    english = "runner {runner} went on with attempt {attempt} after a restart"
    runner: str
    attempt: int


class Started(Statement, frozen=True, tag="why.started"):
    """User code runs."""

    english = "the script of attempt {attempt} was started"
    attempt: int


class AttemptEnded(Statement, frozen=True, tag="why.attempt_ended"):
    """Nothing else is to be said of it."""

    english = "attempt {attempt} ended: {outcome}"
    attempt: int
    outcome: str


class AttemptEndedSo(Statement, frozen=True, tag="why.attempt_ended_so"):
    """And what is to be said of it."""

    english = "attempt {attempt} ended: {outcome} ({remarks})"
    attempt: int
    outcome: str
    remarks: tuple[Statement, ...]


class ExitCode(Statement, frozen=True, tag="why.exit_code"):
    """Not 0."""

    english = "exit code {number}"
    number: int


class Route(Statement, frozen=True, tag="why.route"):
    """The way that it named for a chain."""

    english = "route {route}"
    route: str


class ResultNotKept(Statement, frozen=True, tag="why.result_not_kept"):
    """What it left as a result could not be read."""

    english = "its result was not kept: {error}"
    error: Statement


class Lost(Statement, frozen=True, tag="why.lost"):
    """Nobody knows what became of it."""

    english = "attempt {attempt} was lost: runner {runner} did not come back"
    attempt: int
    runner: str


class RetryDue(Statement, frozen=True, tag="why.retry_due"):
    """It will be tried again."""

    english = "attempt {attempt} is due at {due}"
    attempt: int
    due: Instant


class EndWanted(Statement, frozen=True, tag="why.end_wanted"):
    """Somebody did not say why."""

    english = "{who} asked for its end"
    who: str


class EndWantedBecause(Statement, frozen=True, tag="why.end_wanted_because"):
    """Somebody, and why."""

    english = "{who} asked for its end: {why}"
    who: str
    why: Statement


class Prioritised(Statement, frozen=True, tag="why.prioritised"):
    """Its place in the queue changed."""

    english = "{who} gave it priority {priority}"
    who: str
    priority: int


class Hurried(Statement, frozen=True, tag="why.hurried"):
    """It does not wait for its retry."""

    english = "{who} wanted its next attempt at once"
    who: str


class Over(Statement, frozen=True, tag="why.over"):
    """Nothing else is to be said of it."""

    english = "it is over: {outcome}"
    outcome: str


class OverBecause(Statement, frozen=True, tag="why.over_because"):
    """And what is to be said of it."""

    english = "it is over: {outcome}, {detail}"
    outcome: str
    detail: Statement

"""How an attempt ended, each end a statement of its own."""

from fastflow_events.message import Statement


class ArtifactLost(Statement, frozen=True, tag="ending.artifact_lost"):
    """Of one."""

    english = "artifacts could not be stored ({path}): {why}"
    path: str
    why: Statement


class ArtifactsLost(Statement, frozen=True, tag="ending.artifacts_lost"):
    """Of several."""

    english = "artifacts could not be stored ({path} and {more} more): {why}"
    path: str
    more: int
    why: Statement


class Gone(Statement, frozen=True, tag="ending.gone"):
    """Of files that were to be kept."""

    english = "they are gone"


class Several(Statement, frozen=True, tag="ending.several"):
    """What is to be said one after the other."""

    english = "{parts}"
    parts: tuple[Statement, ...]


class InCell(Statement, frozen=True, tag="ending.in_cell"):
    """And which cell of a notebook was in hand."""

    english = "{what}, in {where}"
    what: Statement
    where: Statement


class TooLong(Statement, frozen=True, tag="ending.too_long"):
    """Its time was over."""

    english = "it ran longer than {timeout_s} s and was ended"
    timeout_s: float


class TooLongAnyway(Statement, frozen=True, tag="ending.too_long_anyway"):
    """Its time was over."""

    english = "it ran longer than the time allowed and was ended"


class NeverStarted(Statement, frozen=True, tag="ending.never_started"):
    """Nobody knows why."""

    english = "the script was never started"


class Unstoppable(Statement, frozen=True, tag="ending.unstoppable"):
    """The grace period was over."""

    english = "the script did not end when it was asked to, and was killed"


class ToldToEnd(Statement, frozen=True, tag="ending.told_to_end"):
    """From outside, or by itself."""

    english = (
        "what runs the script was told to end (SIGTERM): the engine was shut down, somebody stopped it, or "
        "the script did"
    )


class NoRoomOnDisk(Statement, frozen=True, tag="ending.no_room_on_disk"):
    """It may be why."""

    english = "no room was left on the disk of its folder"


class TooManyProcesses(Statement, frozen=True, tag="ending.too_many_processes"):
    """It may be why."""

    english = "it wanted more processes or threads than it may have"


class EndedItself(Statement, frozen=True, tag="ending.ended_itself"):
    """It may be why."""

    english = "it had told what runs it to end (SIGTERM)"


class CodesDiffer(Statement, frozen=True, tag="ending.codes_differ"):
    """One of them is wrong."""

    english = "the script ended with 0, but the engine reports exit code {code}"
    code: int


class ExitCode(Statement, frozen=True, tag="ending.exit_code"):
    """It failed."""

    english = "the script ended with exit code {code}"
    code: int


class Signal(Statement, frozen=True, tag="ending.signal"):
    """A signal without a name."""

    english = "the script was ended by signal {number}"
    number: int


class NamedSignal(Statement, frozen=True, tag="ending.named_signal"):
    """By the kernel, itself, or somebody."""

    english = "the script was ended by signal {number} ({name})"
    number: int
    name: str


class BusError(Statement, frozen=True, tag="ending.bus_error"):
    """By the kernel."""

    english = (
        "the script was ended by signal {number} ({name}): a mapped file or shared memory (/dev/shm) had no "
        "room left, or was made shorter"
    )
    number: int
    name: str


class OutOfMemory(Statement, frozen=True, tag="ending.out_of_memory"):
    """By the kernel."""

    english = "it needed more memory than it may use"


class OutOfMemoryOf(Statement, frozen=True, tag="ending.out_of_memory_of"):
    """By the kernel."""

    english = "it needed more memory than it may use ({limit})"
    limit: str


class MachineFull(Statement, frozen=True, tag="ending.machine_full"):
    """By the kernel."""

    english = "the machine had no memory left, and the kernel chose it to make room; it has no limit"


class MachineFullWithin(Statement, frozen=True, tag="ending.machine_full_within"):
    """By the kernel."""

    english = "the machine had no memory left, and the kernel chose it to make room; it was within its limit ({limit})"
    limit: str


class DiskExceeded(Statement, frozen=True, tag="ending.disk_exceeded"):
    """By the runner."""

    english = "it wrote more to the disk than it may keep there ({limit})"
    limit: str


class DiskExceededAnyway(Statement, frozen=True, tag="ending.disk_exceeded_anyway"):
    """By the runner."""

    english = "it wrote more to the disk than it may keep there"


class Removed(Statement, frozen=True, tag="ending.removed"):
    """Nothing is left to be asked."""

    english = "somebody removed it while it ran, so nobody knows what became of the script"


class HoldLost(Statement, frozen=True, tag="ending.hold_lost"):
    """Of the engine."""

    english = "the engine lost hold of the script (exit code 255), so nobody knows how far it came"


class CutOff(Statement, frozen=True, tag="ending.cut_off"):
    """Of the engine."""

    english = "it was cut off: the engine reports exit code 0, but nothing says that the script was completed"


class Killed(Statement, frozen=True, tag="ending.killed"):
    """What watches over it, too."""

    english = "it was killed (exit code {code}), not for memory: from outside, or by a process of the script"
    code: int


class EntryEnded(Statement, frozen=True, tag="ending.entry_ended"):
    """Nobody knows more."""

    english = "what watches over the script ended with exit code {code} and did not say how the script ended"
    code: int


class ChildKilledMachineFull(Statement, frozen=True, tag="ending.child_killed_machine_full"):
    """A success all the same."""

    english = "a process that it started was killed because the machine had no memory left"


class ChildKilled(Statement, frozen=True, tag="ending.child_killed"):
    """A success all the same."""

    english = "a process that it started was killed because it needed more memory than it may use"


class ToldAndSucceeded(Statement, frozen=True, tag="ending.told_and_succeeded"):
    """A success all the same."""

    english = "what runs the script was told to end (SIGTERM), and it ended with exit code 0"


class EndedItselfWell(Statement, frozen=True, tag="ending.ended_itself_well"):
    """A success all the same."""

    english = "it told what runs it to end (SIGTERM), and ended with exit code 0"


class EngineDiskFull(Statement, frozen=True, tag="ending.engine_disk_full"):
    """Of the engine."""

    english = "the engine''s disk is full, so the script was not started; make room and run it again ({reason})"
    reason: Statement


class NotStarted(Statement, frozen=True, tag="ending.not_started"):
    """Something it needs is missing."""

    english = "the script was not started: {reason}"
    reason: Statement


class BeforeStart(Statement, frozen=True, tag="ending.before_start"):
    """Somebody asked for its end."""

    english = "before the script was started"


class LogSaysWhy(Statement, frozen=True, tag="ending.log_says_why"):
    """Nobody thought of it."""

    english = "the runner could not execute this attempt; its log says why"


class NotWrittenDown(Statement, frozen=True, tag="ending.not_written_down"):
    """It is too large for a fact."""

    english = "it could not be written down"


class ResultNoObject(Statement, frozen=True, tag="ending.result_no_object"):
    """In the words of who reads it."""

    english = "it is no JSON object: {error}"
    error: str


class ResultTooLarge(Statement, frozen=True, tag="ending.result_too_large"):
    """Of a result."""

    english = "written out it has {size_bytes} bytes; at most {most} are kept"
    size_bytes: int
    most: int

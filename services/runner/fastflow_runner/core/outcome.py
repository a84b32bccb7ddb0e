"""From what was observed at the end of an attempt to what is said of it; pure.

| observed | outcome |
|---|---|
| user code ended because its time was over | `timed_out` |
| it held more of the disk than it may, and was ended for that | `out_of_disk` |
| the kernel killed for memory, and the code is not 0 | `out_of_memory`; exit code 137 alone is not that |
| exit code 0 and the completion marker says 0 | `succeeded`, with a remark when something was odd |
| somebody outside sent SIGTERM, and the code is not 0 | `infrastructure_error` |
| the completion marker says another code | `failed` |
| user code never started | `infrastructure_error` |
| no completion marker, because a cancel was ignored until the grace period was over | `failed` |
| no completion marker, whatever the exit code | `infrastructure_error`: the end is unknown |

A cancel is not decided here: where one stands in the log, the rules of the run make the outcome `cancelled`.
"""

import signal as signals
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastflow_events.aggregates.run.events import RunAttemptFinished
from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.message import Statement, Verbatim, beside
from fastflow_events.plain import MAX_DEPTH, TooDeep, fault_of, is_too_deep
from fastflow_events.types import Outcome
from msgspec import MsgspecError, Struct, json, structs

from fastflow_runner.core import endings
from fastflow_runner.core.bounds import size
from fastflow_runner.core.gauge import Peaks
from fastflow_runner.entry.leaving import RESULT_BYTES
from fastflow_runner.ports import AttemptRef, Exit

DETAIL_CHARS = 4000
FEW_CHARS = 1000
_NO_PEAKS = Peaks()


class Ending(Struct, frozen=True, kw_only=True):
    """How an attempt ended."""

    outcome: Outcome
    why: Statement | None = None
    """None when there is nothing to say about a success."""
    exit_code: int | None = None
    signal: int | None = None
    observed: Exit | None = None
    """None when nothing was ever executed."""

    @property
    def detail(self) -> str:
        """A sentence a person understands; empty when there is nothing to say."""
        return str(self.why or "")


def never_ran(outcome: Outcome, why: Statement) -> Ending:
    """An attempt whose user code was not started."""
    return Ending(outcome=outcome, why=_short(why))


def of_exit(
    exit: Exit,
    *,
    timeout_s: float | None = None,
    memory_bytes: int | None = None,
    disk_bytes: int | None = None,
    overdue: bool = False,
    cancelled: bool = False,
    lost_artifacts: Sequence[str] = (),
    why_lost: Statement | None = None,
) -> Ending:
    """What to say of an attempt whose user code was started.

    `overdue` when the runner itself had to end it, `cancelled` when it did so because somebody asked;
    `lost_artifacts` were there and could not be stored.
    """
    ending = _of_exit(exit, timeout_s, memory_bytes, disk_bytes, overdue=overdue, cancelled=cancelled)
    if not lost_artifacts:
        return ending
    path, more, why = lost_artifacts[0], len(lost_artifacts) - 1, why_lost or Verbatim("")
    lost = endings.ArtifactsLost(path, more, why) if more else endings.ArtifactLost(path, why)
    return structs.replace(ending, why=_short(_several([ending.why, lost])))


def _of_exit(
    exit: Exit,
    timeout_s: float | None,
    memory_bytes: int | None,
    disk_bytes: int | None,
    *,
    overdue: bool,
    cancelled: bool,
) -> Ending:
    code = exit.marker_code if exit.marker_code is not None else exit.exit_code
    if exit.timed_out or overdue:
        long = endings.TooLong(timeout_s) if timeout_s else endings.TooLongAnyway()
        return _ending(exit, "timed_out", _where(exit, long), code)
    if exit.held_bytes and code != 0:
        disk = endings.DiskExceeded(size(disk_bytes)) if disk_bytes else endings.DiskExceededAnyway()
        return _ending(exit, "out_of_disk", _where(exit, disk), code)
    if exit.oom_killed and code != 0:
        return _ending(exit, "out_of_memory", _where(exit, _out_of_memory(exit, memory_bytes)), code)
    if exit.never_started:
        return _ending(exit, "infrastructure_error", endings.NeverStarted(), None)
    if exit.marker_code is None and cancelled and exit.exit_code == 137:
        return _ending(exit, "failed", endings.Unstoppable(), 137)
    if exit.marker_code is None:
        return _ending(exit, "infrastructure_error", _unproven(exit.exit_code), exit.exit_code or None)
    if exit.marker_code != 0 and exit.told_to_end and not cancelled:
        return _ending(exit, "infrastructure_error", endings.ToldToEnd(), exit.marker_code)
    if exit.marker_code != 0:
        words = exit.notebook.why if exit.notebook else ""
        why = Verbatim(words) if words else _where(exit, _failure(exit.marker_code, exit.signal))
        maybe = [
            endings.NoRoomOnDisk() if exit.disk_full else None,
            endings.TooManyProcesses() if exit.processes_refused else None,
            endings.EndedItself() if exit.ended_itself else None,
        ]
        return _ending(exit, "failed", _short(_several([why, *maybe])), exit.marker_code)
    if exit.exit_code not in (0, None):
        return _ending(exit, "infrastructure_error", endings.CodesDiffer(int(exit.exit_code or 0)), exit.exit_code)
    return _ending(exit, "succeeded", _remark(exit, cancelled=cancelled), 0)


def finished(
    ending: Ending,
    ref: AttemptRef,
    *,
    runner: str,
    lines: int,
    size_bytes: int,
    now: datetime,
    peaks: Peaks = _NO_PEAKS,
    error: ScriptError | None = None,
) -> RunAttemptFinished:
    """The fact that says so; `error` is the last one that was printed, which tells something only of a failure."""
    seen = ending.observed or Exit(exit_code=None)
    result, result_error = result_of(seen)
    last = peaks.last
    return RunAttemptFinished(
        attempt=ref.attempt,
        runner=runner,
        outcome=ending.outcome,
        detail=ending.detail,
        detail_message=beside(ending.why),
        exit_code=ending.exit_code,
        signal=ending.signal,
        route=seen.route,
        result=result,
        result_error=str(result_error or ""),
        result_error_message=beside(result_error),
        peak_memory_bytes=max(filter(None, (seen.peak_memory_bytes, peaks.memory_bytes)), default=None),
        peak_cpus=peaks.cpus,
        cpu_s=seen.cpu_s,
        received_bytes=last.received_bytes if seen.received_bytes is None and last else seen.received_bytes,
        sent_bytes=last.sent_bytes if seen.transmitted_bytes is None and last else seen.transmitted_bytes,
        read_bytes=last.read_bytes if last else None,
        written_bytes=last.written_bytes if last else None,
        output_lines=lines,
        output_bytes=size_bytes,
        finished_at=seen.finished_at or now,
        error=error if ending.outcome == "failed" else None,
    )


def in_fewer_words(fact: RunAttemptFinished) -> RunAttemptFinished | None:
    """The same end without what takes room; None when there is nothing left to leave out."""
    error = str(endings.NotWrittenDown()) if fact.result is not None else fact.result_error
    detail = fact.detail.encode("ascii", "backslashreplace").decode()[:FEW_CHARS]
    fewer = structs.replace(
        fact,
        result=None,
        result_error=error[:FEW_CHARS],
        result_error_message=None,
        route=None,
        detail=detail,
        detail_message=None,
        error=None,
    )
    return None if fewer == fact else fewer


def result_of(exit: Exit) -> tuple[dict[str, Any] | None, Statement | None]:
    """The result the script left, and why there is none although it left something."""
    if exit.result is None:
        return None, Verbatim(exit.result_error) if exit.result_error else None
    try:
        if is_too_deep(exit.result.encode()):
            return None, TooDeep(MAX_DEPTH)
        result = json.decode(exit.result, type=dict[str, Any])
        if fault := fault_of(result):
            return None, fault
        kept_bytes = len(json.encode(result))
    except (MsgspecError, ValueError, RecursionError) as error:
        return None, _short(endings.ResultNoObject(str(error)))
    if kept_bytes > RESULT_BYTES:
        return None, endings.ResultTooLarge(kept_bytes, RESULT_BYTES)
    return result, None


def why_not(reason: Statement) -> Statement:
    """Why user code was not started, in words that say what to do about it."""
    if is_disk_full(str(reason)):
        return endings.EngineDiskFull(reason)
    return endings.NotStarted(reason)


def is_disk_full(reason: str) -> bool:
    """True when these are the words of somebody who ran out of room."""
    return "no space left on device" in reason.lower() or "disk quota exceeded" in reason.lower()


def _ending(exit: Exit, outcome: Outcome, why: Statement | None, code: int | None) -> Ending:
    known = code if code is not None and 0 <= code <= 255 else None
    return Ending(outcome=outcome, why=why, exit_code=known, signal=exit.signal, observed=exit)


def _where(exit: Exit, what: Statement) -> Statement:
    """The same with the cell that was in hand when a notebook ended."""
    return endings.InCell(what, Verbatim(exit.notebook.where)) if exit.notebook and exit.notebook.where else what


def _several(parts: Sequence[Statement | None]) -> Statement:
    """All that there is to say, one after the other."""
    found = tuple(part for part in parts if part is not None)
    return found[0] if len(found) == 1 else endings.Several(found)


def _short(why: Statement) -> Statement:
    """The same, if a fact has room for it; else its first words."""
    return why if len(str(why)) <= DETAIL_CHARS else Verbatim(str(why)[:DETAIL_CHARS])


def _failure(code: int, number: int | None) -> Statement:
    if number is None:
        return endings.ExitCode(code)
    try:
        name = signals.Signals(number).name
    except ValueError:
        return endings.Signal(number)
    return endings.BusError(number, name) if name == "SIGBUS" else endings.NamedSignal(number, name)


def _out_of_memory(exit: Exit, memory_bytes: int | None) -> Statement:
    limit = size(memory_bytes) if memory_bytes else ""
    if not exit.machine_full:
        return endings.OutOfMemoryOf(limit) if limit else endings.OutOfMemory()
    return endings.MachineFullWithin(limit) if limit else endings.MachineFull()


def _unproven(code: int | None) -> Statement:
    if code is None:
        return endings.Removed()
    if code == 255:
        return endings.HoldLost()
    if code == 0:
        return endings.CutOff()
    if code in (137, 143):
        return endings.Killed(code)
    return endings.EntryEnded(code)


def _remark(exit: Exit, *, cancelled: bool) -> Statement | None:
    """What is odd about a success."""
    remarks: list[Statement] = []
    if exit.oom_killed:
        remarks.append(endings.ChildKilledMachineFull() if exit.machine_full else endings.ChildKilled())
    if exit.processes_refused:
        remarks.append(endings.TooManyProcesses())
    if exit.told_to_end and not cancelled:
        remarks.append(endings.ToldAndSucceeded())
    if exit.ended_itself:
        remarks.append(endings.EndedItselfWell())
    return _several(remarks) if remarks else None

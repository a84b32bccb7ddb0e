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
from fastflow_events.plain import MAX_DEPTH, fault_of, is_too_deep
from fastflow_events.types import Outcome
from msgspec import MsgspecError, Struct, json, structs

from fastflow_runner.core.gauge import Peaks
from fastflow_runner.entry.leaving import RESULT_BYTES
from fastflow_runner.ports import AttemptRef, Exit

DETAIL_CHARS = 4000
FEW_CHARS = 1000
_NO_PEAKS = Peaks()
_REFUSED = "it wanted more processes or threads than it may have"
_TOLD = (
    "what runs the script was told to end (SIGTERM): the engine was shut down, somebody stopped it, or the script did"
)
_NO_ROOM = "a mapped file or shared memory (/dev/shm) had no room left, or was made shorter"


class Ending(Struct, frozen=True, kw_only=True):
    """How an attempt ended."""

    outcome: Outcome
    detail: str = ""
    """A sentence a person understands; empty when there is nothing to say about a success."""
    exit_code: int | None = None
    signal: int | None = None
    observed: Exit | None = None
    """None when nothing was ever executed."""


def never_ran(outcome: Outcome, detail: str) -> Ending:
    """An attempt whose user code was not started."""
    return Ending(outcome=outcome, detail=detail[:DETAIL_CHARS])


def of_exit(
    exit: Exit,
    *,
    timeout_s: float | None = None,
    memory_bytes: int | None = None,
    disk_bytes: int | None = None,
    overdue: bool = False,
    cancelled: bool = False,
    lost_artifacts: Sequence[str] = (),
    why_lost: str = "",
) -> Ending:
    """What to say of an attempt whose user code was started.

    `overdue` when the runner itself had to end it, `cancelled` when it did so because somebody asked;
    `lost_artifacts` were there and could not be stored.
    """
    ending = _of_exit(exit, timeout_s, memory_bytes, disk_bytes, overdue=overdue, cancelled=cancelled)
    if not lost_artifacts:
        return ending
    more = f" and {len(lost_artifacts) - 1} more" if len(lost_artifacts) > 1 else ""
    words = f"artifacts could not be stored ({lost_artifacts[0]}{more}): {why_lost}"
    return structs.replace(ending, detail="; ".join(filter(None, (ending.detail, words)))[:DETAIL_CHARS])


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
        limit = f"{timeout_s:g} s" if timeout_s else "the time allowed"
        return _ending(exit, "timed_out", f"it ran longer than {limit} and was ended{_where(exit)}", code)
    if exit.held_bytes and code != 0:
        most = f" ({_size(disk_bytes)})" if disk_bytes else ""
        return _ending(
            exit, "out_of_disk", f"it wrote more to the disk than it may keep there{most}{_where(exit)}", code
        )
    if exit.oom_killed and code != 0:
        return _ending(exit, "out_of_memory", f"{_out_of_memory(exit, memory_bytes)}{_where(exit)}", code)
    if exit.never_started:
        return _ending(exit, "infrastructure_error", "the script was never started", None)
    if exit.marker_code is None and cancelled and exit.exit_code == 137:
        return _ending(exit, "failed", "the script did not end when it was asked to, and was killed", 137)
    if exit.marker_code is None:
        return _ending(exit, "infrastructure_error", _unproven(exit.exit_code), exit.exit_code or None)
    if exit.marker_code != 0 and exit.told_to_end and not cancelled:
        return _ending(exit, "infrastructure_error", _TOLD, exit.marker_code)
    if exit.marker_code != 0:
        short = "; no room was left on the disk of its folder" if exit.disk_full else ""
        short += f"; {_REFUSED}" if exit.processes_refused else ""
        short += "; it had told what runs it to end (SIGTERM)" if exit.ended_itself else ""
        why = exit.notebook.why if exit.notebook else ""
        why = why or _failure(exit.marker_code, exit.signal) + _where(exit)
        return _ending(exit, "failed", (why + short)[:DETAIL_CHARS], exit.marker_code)
    if exit.exit_code not in (0, None):
        detail = f"the script ended with 0, but the engine reports exit code {exit.exit_code}"
        return _ending(exit, "infrastructure_error", detail, exit.exit_code)
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
        exit_code=ending.exit_code,
        signal=ending.signal,
        route=seen.route,
        result=result,
        result_error=result_error,
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
    error = "it could not be written down" if fact.result is not None else fact.result_error
    detail = fact.detail.encode("ascii", "backslashreplace").decode()[:FEW_CHARS]
    fewer = structs.replace(fact, result=None, result_error=error[:FEW_CHARS], route=None, detail=detail, error=None)
    return None if fewer == fact else fewer


def result_of(exit: Exit) -> tuple[dict[str, Any] | None, str]:
    """The result the script left, and why there is none although it left something."""
    if exit.result is None:
        return None, exit.result_error
    try:
        if is_too_deep(exit.result.encode()):
            return None, f"it is nested more than {MAX_DEPTH} deep"
        result = json.decode(exit.result, type=dict[str, Any])
        if fault := fault_of(result):
            return None, fault
        kept_bytes = len(json.encode(result))
    except (MsgspecError, ValueError, RecursionError) as error:
        return None, f"it is no JSON object: {error}"[:DETAIL_CHARS]
    if kept_bytes > RESULT_BYTES:
        return None, f"written out it has {kept_bytes} bytes; at most {RESULT_BYTES} are kept"
    return result, ""


def why_not(reason: str) -> str:
    """Why user code was not started, in words that say what to do about it."""
    if is_disk_full(reason):
        return f"the engine's disk is full, so the script was not started; make room and run it again ({reason})"
    return f"the script was not started: {reason}"


def is_disk_full(reason: str) -> bool:
    """True when these are the words of somebody who ran out of room."""
    return "no space left on device" in reason.lower() or "disk quota exceeded" in reason.lower()


def _ending(exit: Exit, outcome: Outcome, detail: str, code: int | None) -> Ending:
    known = code if code is not None and 0 <= code <= 255 else None
    return Ending(outcome=outcome, detail=detail, exit_code=known, signal=exit.signal, observed=exit)


def _where(exit: Exit) -> str:
    """The cell in hand when a notebook ended."""
    return f", in {exit.notebook.where}" if exit.notebook and exit.notebook.where else ""


def _failure(code: int, number: int | None) -> str:
    if number is None:
        return f"the script ended with exit code {code}"
    try:
        name = signals.Signals(number).name
    except ValueError:
        return f"the script was ended by signal {number}"
    why = f": {_NO_ROOM}" if name == "SIGBUS" else ""
    return f"the script was ended by signal {number} ({name}){why}"


def _out_of_memory(exit: Exit, memory_bytes: int | None) -> str:
    if not exit.machine_full:
        return f"it needed more memory than it may use{f' ({_size(memory_bytes)})' if memory_bytes else ''}"
    own = f"it was within its limit ({_size(memory_bytes)})" if memory_bytes else "it has no limit"
    return f"the machine had no memory left, and the kernel chose it to make room; {own}"


def _unproven(code: int | None) -> str:
    if code is None:
        return "somebody removed it while it ran, so nobody knows what became of the script"
    if code == 255:
        return "the engine lost hold of the script (exit code 255), so nobody knows how far it came"
    if code == 0:
        return "it was cut off: the engine reports exit code 0, but nothing says that the script was completed"
    if code in (137, 143):
        return f"it was killed (exit code {code}), not for memory: from outside, or by a process of the script"
    return f"what watches over the script ended with exit code {code} and did not say how the script ended"


def _remark(exit: Exit, *, cancelled: bool) -> str:
    """What is odd about a success."""
    remarks = []
    if exit.oom_killed:
        why = "the machine had no memory left" if exit.machine_full else "it needed more memory than it may use"
        remarks.append(f"a process that it started was killed because {why}")
    if exit.processes_refused:
        remarks.append(_REFUSED)
    if exit.told_to_end and not cancelled:
        remarks.append("what runs the script was told to end (SIGTERM), and it ended with exit code 0")
    if exit.ended_itself:
        remarks.append("it told what runs it to end (SIGTERM), and ended with exit code 0")
    return "; ".join(remarks)


def _size(count: int) -> str:
    """Bytes as people write them: 64 MiB."""
    for power, unit in ((30, "GiB"), (20, "MiB")):
        if count >= 1 << power:
            return f"{count / (1 << power):.4g} {unit}"
    return f"{count} bytes"

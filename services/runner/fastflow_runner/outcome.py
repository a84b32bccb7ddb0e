"""From what was observed at the end of an attempt to what is said of it; pure.

| observed | outcome |
|---|---|
| user code ended because its time was over | `timed_out` |
| memory ran out, and the code is not 0 | `out_of_memory` |
| exit code 0 and the completion marker says 0 | `succeeded` |
| the completion marker says another code | `failed` |
| user code never started | `infrastructure_error` |
| no completion marker, whatever the exit code | `infrastructure_error`: the end is unknown |

A cancel is not decided here: where one stands in the log, the rules of the run make the outcome `cancelled`.
"""

import signal as signals
from datetime import datetime

from fastflow_events.run.events import RunAttemptFinished
from fastflow_events.types import Outcome
from msgspec import Struct

from fastflow_runner.ports import AttemptRef, Exit

DETAIL_CHARS = 4000


class Ending(Struct, frozen=True, kw_only=True):
    """How an attempt ended."""

    outcome: Outcome
    detail: str = ""
    """A sentence a person understands; empty on success."""
    exit_code: int | None = None
    signal: int | None = None
    observed: Exit | None = None
    """None when nothing was ever executed."""


def never_ran(outcome: Outcome, detail: str) -> Ending:
    """An attempt whose user code was not started."""
    return Ending(outcome=outcome, detail=detail[:DETAIL_CHARS])


def of_exit(exit: Exit, *, timeout_s: float | None, overdue: bool = False) -> Ending:
    """What to say of an attempt whose user code was started; `overdue` when the runner itself had to end it."""
    code = exit.marker_code if exit.marker_code is not None else exit.exit_code
    if exit.timed_out or overdue:
        limit = f"{timeout_s:g} s" if timeout_s else "the time allowed"
        return _ending(exit, "timed_out", f"it ran longer than {limit} and was ended", code)
    if exit.oom_killed and code != 0:
        return _ending(exit, "out_of_memory", "it needed more memory than it may use", code)
    if exit.never_started:
        return _ending(exit, "infrastructure_error", "the script was never started", None)
    if exit.marker_code is None:
        return _ending(exit, "infrastructure_error", _unproven(exit.exit_code), exit.exit_code or None)
    if exit.marker_code != 0:
        return _ending(exit, "failed", _failure(exit.marker_code, exit.signal), exit.marker_code)
    if exit.exit_code not in (0, None):
        detail = f"the script ended with 0, but the engine reports exit code {exit.exit_code}"
        return _ending(exit, "infrastructure_error", detail, exit.exit_code)
    return _ending(exit, "succeeded", "", 0)


def finished(
    ending: Ending, ref: AttemptRef, *, runner: str, lines: int, size_bytes: int, now: datetime
) -> RunAttemptFinished:
    """The fact that says so."""
    seen = ending.observed or Exit(exit_code=None)
    return RunAttemptFinished(
        attempt=ref.attempt,
        runner=runner,
        outcome=ending.outcome,
        detail=ending.detail,
        exit_code=ending.exit_code,
        signal=ending.signal,
        route=seen.route,
        peak_memory_bytes=seen.peak_memory_bytes,
        cpu_s=seen.cpu_s,
        output_lines=lines,
        output_bytes=size_bytes,
        finished_at=seen.finished_at or now,
    )


def _ending(exit: Exit, outcome: Outcome, detail: str, code: int | None) -> Ending:
    known = code if code is not None and 0 <= code <= 255 else None
    return Ending(outcome=outcome, detail=detail, exit_code=known, signal=exit.signal, observed=exit)


def _failure(code: int, number: int | None) -> str:
    if number is None:
        return f"the script ended with exit code {code}"
    try:
        return f"the script was ended by signal {number} ({signals.Signals(number).name})"
    except ValueError:
        return f"the script was ended by signal {number}"


def _unproven(code: int | None) -> str:
    if code is None:
        return "what became of the script is unknown: nothing is left that could tell"
    return f"the script was cut off from outside: exit code {code}, and no sign that it was completed"

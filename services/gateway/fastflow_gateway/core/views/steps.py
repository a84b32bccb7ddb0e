"""How a run's status changed, in few bytes: enough to tell its status at any moment, and how long each phase took.

`q0,0;p4,120;r5,180;s9,4400`: the letter of a status, how many positions of the log after the request it came, and how
many milliseconds.
"""

from datetime import datetime

from fastflow_events.recorded import Recorded
from msgspec.structs import replace

from fastflow_gateway.core.views.run_row import OVER, RunRow, RunStatus

HOUR_S = 3600
_LETTER: dict[RunStatus, str] = {
    "queued": "q",
    "preparing": "p",
    "running": "r",
    "waiting": "w",
    "succeeded": "s",
    "failed": "f",
    "cancelled": "c",
    "rejected": "x",
}
_STATUS = {letter: status for status, letter in _LETTER.items()}


def hour_of(at: datetime) -> int:
    """The hour an instant lies in, counted from 1970, UTC; none lies before."""
    return max(0, int(at.timestamp() // HOUR_S))


def begun(row: RunRow, at: datetime) -> RunRow:
    """The first row of a run."""
    return replace(row, hour=hour_of(at), steps="q0,0")


def stepped(before: RunRow, after: RunRow, recorded: Recorded) -> RunRow:
    """The row with what follows from a change of its status."""
    if after.status == before.status:
        return after
    ms = _ms(datetime.fromisoformat(before.requested_at), recorded.at)
    steps = f"{before.steps};{_LETTER[after.status]}{recorded.seq - before.requested_seq},{ms}"
    wait = ms if after.status == "preparing" and before.wait_ms is None else before.wait_ms
    duration = None
    if after.status in OVER and after.started_at and after.finished_at:
        duration = _ms(datetime.fromisoformat(after.started_at), datetime.fromisoformat(after.finished_at))
    return replace(after, steps=steps, wait_ms=wait, duration_ms=duration)


def status_at(row: RunRow, seq: int) -> RunStatus | None:
    """The status after the fact at a position; None before the run was requested."""
    found: RunStatus | None = None
    for step in row.steps.split(";"):
        if row.requested_seq + int(step[1:].partition(",")[0]) > seq:
            break
        found = _STATUS[step[0]]
    return found


def _ms(begin: datetime, end: datetime) -> int:
    """Milliseconds between two instants; clocks may differ, and nothing takes less than none."""
    return max(0, round((end - begin).total_seconds() * 1000))

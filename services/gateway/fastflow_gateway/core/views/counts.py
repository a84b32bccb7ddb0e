"""How the counts of runs change when rows do. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from fastflow_gateway.core.views.run_row import RunRow

DAY_HOURS = 24


class Counts(NamedTuple):
    """Runs and their milliseconds, to be added to what is counted."""

    hours: dict[tuple[int, str], list[int]]
    """By hour of the request and status."""
    days: dict[tuple[int, str, str], list[int]]
    """By day of the request, pipeline and status."""


def day_of(hour: int) -> int:
    """The day an hour lies in, counted from 1970, UTC."""
    return hour // DAY_HOURS


def changes(rows: Iterable[tuple[RunRow | None, RunRow]]) -> Counts:
    """What rows before and after their facts change: a status fewer, another one more."""
    found = Counts({}, {})
    for before, after in rows:
        if before is not None:
            if (before.status, before.duration_ms) == (after.status, after.duration_ms):
                continue
            _count(found, before, -1)
        _count(found, after, 1)
    return Counts(
        {key: sums for key, sums in found.hours.items() if any(sums)},
        {key: sums for key, sums in found.days.items() if any(sums)},
    )


def _count(found: Counts, row: RunRow, sign: int) -> None:
    for sums in (
        found.hours.setdefault((row.hour, row.status), [0, 0]),
        found.days.setdefault((day_of(row.hour), row.pipeline, row.status), [0, 0]),
    ):
        sums[0] += sign
        sums[1] += sign * (row.duration_ms or 0)

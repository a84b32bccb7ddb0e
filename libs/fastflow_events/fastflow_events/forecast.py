"""When the log is full if it goes on growing as it did: from what was observed of it. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

WINDOW = timedelta(days=7)
"""The growth of this time counts, where that much was observed."""
LEAST = timedelta(hours=1)
"""Less tells nothing of what comes."""
APART = timedelta(minutes=10)
"""Between points that are remembered, but for the newest."""
DAY = timedelta(days=1)
YEARS_DAYS = 3650.0


class Point(NamedTuple):
    """How large the log was at an instant."""

    at: datetime
    bytes: int


class Observed(NamedTuple):
    """What is known of a stream's growth, by the server's clock."""

    points: tuple[Point, ...]
    """Oldest first."""
    max_bytes: int
    """0 is no bound, or not known yet."""


class Forecast(NamedTuple):
    """How it goes on."""

    bytes_per_day: float
    full_in_days: float


def remember(points: Sequence[Point], new: Point) -> list[Point]:
    """The points worth keeping, oldest first: a few per hour, and one that lies a whole window back.

    A log that became smaller, or a clock that was set back, begins a new story.
    """
    if points and (new.bytes < points[-1].bytes or new.at < points[-1].at):
        return [new]
    kept = list(points)
    if len(kept) > 1 and kept[-1].at - kept[-2].at < APART:
        kept.pop()
    kept.append(new)
    while len(kept) > 2 and new.at - kept[1].at >= WINDOW:
        kept.pop(0)
    return kept


def forecast(points: Sequence[Point], *, full_bytes: int) -> Forecast | None:
    """When it holds `full_bytes`, by its growth of the last days; None where too little is known, or nothing grows."""
    if len(points) < 2:
        return None
    first, last = points[0], points[-1]
    grown, lasted = last.bytes - first.bytes, last.at - first.at
    if lasted < LEAST or grown <= 0:
        return None
    per_day = grown / (lasted / DAY)
    return Forecast(per_day, max(0, full_bytes - last.bytes) / per_day)


def in_words(found: Forecast) -> str:
    """The forecast as a sentence."""
    days = found.full_in_days
    if days <= 0:
        return "the log is full"
    if days > YEARS_DAYS:
        return "the log is full in more than ten years at this rate"
    when = f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"
    return f"the log is full in {when} at this rate"

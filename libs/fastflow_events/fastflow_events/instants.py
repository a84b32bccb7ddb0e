"""Instants and their arithmetic, near the ends of the calendar as everywhere. Pure, and never raises.

Within a day of either end an instant may not exist in every zone, and behind an end nothing can be computed. So what
is computed with is held within years in which everything can be.
"""

import math
from datetime import UTC, datetime, timedelta

from fastflow_events.types import Seconds

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing was written earlier, and nothing is computed to be."""
LAST = datetime(9000, 1, 1, tzinfo=UTC)
"""No clock of a writer has shown a later one, and nothing is computed to be later."""


def in_utc(at: datetime) -> datetime | None:
    """The same instant in UTC, where one without a zone means UTC; None when it lies outside of UTC's calendar."""
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def held(at: datetime) -> datetime:
    """The instant in UTC, or the bound behind which it lies."""
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    if aware <= FIRST:
        return FIRST
    return LAST if aware >= LAST else aware.astimezone(UTC)


def later(at: datetime, seconds: Seconds) -> datetime:
    """The instant so many seconds later, or earlier when they are negative, within the bounds; NaN moves nothing."""
    begin = held(at)
    if math.isnan(seconds):
        return begin
    try:
        return held(begin + timedelta(seconds=seconds))
    except OverflowError:
        return LAST if seconds > 0 else FIRST

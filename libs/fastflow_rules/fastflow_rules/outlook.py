"""How large the log is and where that leads, as health, metrics and people are told. Pure."""

from fastflow_events.forecast import Observed, forecast, in_words
from msgspec import Struct

from fastflow_rules.queue.capacity import FULL, ROOM_BYTES


class Outlook(Struct, frozen=True, kw_only=True):
    """Of the log."""

    bytes: int
    max_bytes: int
    """0 is no bound."""
    full_in_days: float | None = None
    """Until no new runs are taken, at this rate; none while too little is known, or nothing grows."""
    bytes_per_day: float | None = None
    forecast: str = ""
    """The same as a sentence; empty while nothing can be said."""


def outlook(observed: Observed, room_bytes: int) -> Outlook | None:
    """What can be said of the log; None before anything was seen of it.

    It is full near its bound, or when its disk is, whichever comes first; `room_bytes` are free on that.
    """
    if not observed.points:
        return None
    size = observed.points[-1].bytes
    full = max(size, size + room_bytes - ROOM_BYTES)
    if observed.max_bytes:
        full = min(full, int(FULL * observed.max_bytes))
    found = forecast(observed.points, full_bytes=full)
    if found is None:
        return Outlook(bytes=size, max_bytes=observed.max_bytes)
    return Outlook(
        bytes=size,
        max_bytes=observed.max_bytes,
        full_in_days=round(found.full_in_days, 2),
        bytes_per_day=round(found.bytes_per_day, 1),
        forecast=in_words(found),
    )

"""When stored code is collected again: a full store soon, what was announced after its hour, else once a day. Pure."""

from typing import NamedTuple

PRESSING = 0.7
"""Share of the store from which on it cannot wait for tomorrow."""


class Pace(NamedTuple):
    """Seconds."""

    look_every_s: float = 600.0
    first_s: float = 3600.0
    """After the start, while nothing presses."""
    undisturbed_s: float = 3660.0
    """Between what was announced and its deletion."""
    pressed_s: float = 6 * 3600.0
    """Between passes over a store that is nearly full of what is needed."""
    daily_s: float = 86_400.0


USUAL = Pace()


class Pass(NamedTuple):
    """The last one."""

    ended_at: float
    """Monotonic seconds."""
    announced: bool
    """It said of something that it will be deleted."""


def is_due(pace: Pace, now: float, *, started: float, last: Pass | None, share: float) -> bool:
    """Whether to collect now; `share` is how full the store is. Instants are monotonic seconds."""
    if last is None:
        return share >= PRESSING or now - started >= pace.first_s
    waited = now - last.ended_at
    if last.announced:
        return waited >= pace.undisturbed_s
    return waited >= (pace.pressed_s if share >= PRESSING else pace.daily_s)

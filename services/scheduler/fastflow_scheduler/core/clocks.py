"""Whether our own clock may be believed before something is done because of the time. Pure.

A clock that jumps back proposes what was proposed before, which changes nothing. One that jumps forward would fire
what is not due, so it is believed only while it agrees with the server's. One that is behind would do everything late
for ever, so it is put right by what the server read: less than its time now, and never more.
"""

from datetime import datetime, timedelta

AGREE_WITHIN = timedelta(seconds=5)
JUMP = timedelta(seconds=5)


def agrees(now: datetime, server: datetime, *, age: timedelta) -> bool:
    """Whether our clock is not ahead of the server's, which read `server` at most `age` ago."""
    return now - server <= age + AGREE_WITHIN


def behind(now: datetime, server: datetime) -> timedelta:
    """How far our clock is behind the server's, at least; nothing when it may agree."""
    late = server - now
    return late if late > AGREE_WITHIN else timedelta()


def jumped(before: tuple[datetime, float], after: tuple[datetime, float]) -> bool:
    """Whether the wall clock ran ahead of the steady one between two readings of (wall clock, steady seconds)."""
    passed = timedelta(seconds=after[1] - before[1])
    return after[0] - before[0] - passed > JUMP

"""Who wants a repository to be read, and how long to wait when nobody does; the wait is the only thing not pure."""

import asyncio

from fastflow_events.recorded import Recorded
from fastflow_events.service.waiting import is_set_within

FIRST_RETRY_S = 5.0
LAST_RETRY_S = 900.0


class Bell:
    """Rung by whoever wants a sync; a ring during a sync means one more sync, however many rang."""

    def __init__(self, asked: int = 0) -> None:
        self.asked = asked
        """How many requests somebody has rung for, or a sync has begun to answer."""
        self._rung = asyncio.Event()
        self._by: list[Recorded] = []

    def ring(self, by: Recorded) -> None:
        """Ask for a sync on behalf of a fact."""
        self._by.append(by)
        self._rung.set()

    def ring_for(self, requests: int) -> None:
        """Ask for a sync when there are more requests than anybody has rung for."""
        if requests > self.asked:
            self.asked = requests
            self._rung.set()

    def take(self) -> list[Recorded]:
        """Stop ringing, and return the facts that rang, in the order they came."""
        self._rung.clear()
        by, self._by = self._by, []
        return by

    async def wait(self, timeout_s: float | None) -> None:
        """Return when somebody rings, or time is over."""
        await is_set_within(self._rung, timeout_s)


class Bells(dict[str, Bell]):
    """The bells of the repositories that are watched, by their names."""

    def ring(self, repository: str, by: Recorded) -> None:
        """Have a repository read again because of a fact, if it is watched."""
        if bell := self.get(repository):
            bell.ring(by)


def pause_s(failures: int, every_s: float) -> float | None:
    """How long to wait for the next sync after so many that failed in a row; None is until somebody rings."""
    if failures == 0:
        return every_s or None
    return max(every_s, min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures - 1, 20)))

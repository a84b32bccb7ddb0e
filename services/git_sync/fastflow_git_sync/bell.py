"""Who wants a repository to be read, and how long to wait when nobody does; the wait is the only thing not pure."""

import asyncio

from fastflow_events.recorded import Recorded

FIRST_RETRY_S = 5.0
LAST_RETRY_S = 900.0


class Bell:
    """Rung by whoever wants a sync; a ring during a sync means one more sync, however many rang."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._by: Recorded | None = None

    def ring(self, by: Recorded | None = None) -> None:
        """Ask for a sync, perhaps on behalf of a fact."""
        self._by = by or self._by
        self._rung.set()

    async def wait(self, timeout_s: float | None) -> Recorded | None:
        """Return when somebody rings, with the newest fact that did; with None when no fact did, or time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return None
        self._rung.clear()
        by, self._by = self._by, None
        return by


def pause_s(failures: int, every_s: float) -> float | None:
    """How long to wait for the next sync after so many that failed in a row; None is until somebody rings."""
    if failures == 0:
        return every_s or None
    return max(every_s, min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures - 1, 20)))

"""The loop: sync at the start, every so often, and when somebody rings."""

import asyncio
import logging

from fastflow_events.recorded import Cause, Recorded

from fastflow_git_sync import handlers
from fastflow_git_sync.deps import Deps

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 5.0


class Bell:
    """Rung by whoever wants a sync; a ring during a sync means one more sync, however many rang."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._by: Recorded | None = None

    def ring(self, by: Recorded) -> None:
        """Ask for a sync on behalf of a fact."""
        self._by = by
        self._rung.set()

    async def wait(self, timeout_s: float | None) -> Recorded | None:
        """Return when somebody rings, with the newest fact that did, or with None when the time is over."""
        try:
            await asyncio.wait_for(self._rung.wait(), timeout_s)
        except TimeoutError:
            return None
        self._rung.clear()
        return self._by


async def poll(deps: Deps, bell: Bell, *, every_s: float) -> None:
    """Keep the log up to date with the repository until cancelled; one sync at a time."""
    asked_by: Recorded | None = None
    while True:
        pause_s = every_s or None
        cause = asked_by.because() if asked_by else Cause(correlation_id=deps.new_id())
        try:
            if asked_by:
                await deps.repositories.reached(asked_by.seq)
            await handlers.configure(deps, cause)
            await handlers.sync(deps, cause)
        except Exception:  # the loop is the last line of defence: report, wait, go on
            logger.exception("sync broke off", extra={"action": "sync_broke_off"})
            pause_s = RETRY_AFTER_S
        asked_by = await bell.wait(pause_s)

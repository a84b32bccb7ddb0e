"""Our clock, as far as it may be believed.

Nothing is done because of the time while it runs ahead of the server's; while it is behind, the server's counts.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.topology import LEADER_TTL_S
from fastflow_events.service.clock import Clock

from fastflow_scheduler.core.clocks import agrees, behind, jumped

logger = logging.getLogger(__name__)

CHECK_EVERY_S = 30.0
AGE = timedelta(seconds=LEADER_TTL_S)
"""The server's time that we read is at most this old."""


class Now(Protocol):
    """Where the instant now comes from."""

    async def now(self) -> datetime | None:
        """The instant now, or None while nobody knows."""


class TrustedClock:
    """A clock that is compared with the server's at the start, after every jump, and now and then."""

    def __init__(
        self, clock: Clock, steady: Callable[[], float], server: Callable[[], Awaitable[datetime | None]]
    ) -> None:
        self._clock = clock
        self._steady = steady
        self._server = server
        self._last: tuple[datetime, float] | None = None
        self._checked = 0.0
        self._trusted = False
        self._doubted = False
        self._behind = timedelta()

    async def now(self) -> datetime | None:
        """The instant now, or None while our clock is ahead of the server's or nobody knows."""
        reading = self._clock(), self._steady()
        if self._last is not None and jumped(self._last, reading):
            self._trusted = False
        self._last = reading
        if not self._trusted or reading[1] - self._checked > CHECK_EVERY_S:
            await self._check(*reading)
        return reading[0] + self._behind if self._trusted else None

    async def _check(self, now: datetime, steady: float) -> None:
        try:
            server = await self._server()
        except InfrastructureError as exc:
            logger.info("the server's time is not known: %s", exc, extra={"action": "clock_unknown"})
            return
        if server is None:
            return
        self._trusted = agrees(now, server, age=AGE)
        was, self._behind = self._behind, behind(now, server)
        if self._behind and not was:
            late = round(self._behind.total_seconds())
            logger.error(
                "the clock is %d s behind the server's, which counts now", late, extra={"action": "clock_behind"}
            )
        if self._trusted:
            self._checked = steady
            if self._doubted:
                logger.warning("the clock agrees with the server's again", extra={"action": "clock_agrees"})
        elif not self._doubted:
            logger.error(
                "the clock is ahead of the server's: holding", extra={"action": "clock_ahead", "server": server}
            )
        self._doubted = not self._trusted

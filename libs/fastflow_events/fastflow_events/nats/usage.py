"""How full the log is: it refuses what is new at its bound, and what must still be said then has to fit.

A disk without room is worse than a stream at its bound: nats-server stores nothing any more until it is started again.
So the disk is looked at as well, where it can be seen from here.
"""

import asyncio
import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nats.aio.client import Client

from fastflow_events.errors import InfrastructureError
from fastflow_events.forecast import Observed, Point, remember
from fastflow_events.nats.stream_info import StreamSaid, ask_stream
from fastflow_events.service.tasks import turned
from fastflow_events.service.telemetry import LOG_BOUND_BYTES, LOG_BYTES

logger = logging.getLogger(__name__)

ASK_EVERY_S = 10.0


class LogUsage(NamedTuple):
    """How much of the log is taken, and how much could still be."""

    share: float
    """Of the stream's `max_bytes`, 0 to 1."""
    room_bytes: int
    """Free bytes on the disk of this service, which by default is that of the log, too."""


class Gauge:
    """How full a stream and a disk are, asked for now and then."""

    def __init__(self, nc: Client, stream: str, *, folder: Path, steady: Callable[[], float]) -> None:
        """`folder` is on the disk that is looked at."""
        self._nc = nc
        self._stream = stream
        self._folder = folder
        self._steady = steady
        self._asked: float | None = None
        self._is_watched = False
        self._share = 0.0
        self._points: list[Point] = []
        self._max_bytes = 0

    @property
    def observed(self) -> Observed:
        """What was seen so far, and what the stream says of its beginning."""
        return Observed(tuple(self._points), self._max_bytes)

    async def watch(self) -> None:
        """Ask now and then until cancelled, so that who wants to know how full it is does not wait for the answer."""
        while True:
            await self._ask()
            self._is_watched = True
            turned()
            await asyncio.sleep(ASK_EVERY_S)

    async def fill(self) -> LogUsage:
        """Of the stream some seconds old, and the last one known while nobody answers."""
        try:
            room = shutil.disk_usage(self._folder).free
        except OSError as exc:
            logger.warning("the room on the disk is not known: %r", exc, extra={"action": "room_unknown"})
            room = sys.maxsize
        return LogUsage(await self._current_share(), room)

    async def _current_share(self) -> float:
        if self._asked is None or (not self._is_watched and self._steady() - self._asked >= ASK_EVERY_S):
            await self._ask()
        return self._share

    async def _ask(self) -> None:
        self._asked = self._steady()
        try:
            info = await ask_stream(self._nc, self._stream)
        except InfrastructureError as exc:
            logger.info("the size of the log is not known: %r", exc, extra={"action": "fill_unknown"})
        else:
            self._saw(info)

    def _saw(self, info: StreamSaid) -> None:
        state, bound = info.state, max(0, info.config.max_bytes)
        self._share, self._max_bytes = state.bytes / bound if bound else 0.0, bound
        if not self._points and state.messages and state.first_seq == 1 and state.first_ts is not None:
            self._points = [
                Point(state.first_ts, 0)
            ]  # nothing was ever deleted, so it has grown since its first message
        self._points = remember(self._points, Point(info.ts, state.bytes))
        LOG_BYTES.labels(self._stream).set(state.bytes)
        LOG_BOUND_BYTES.labels(self._stream).set(bound)

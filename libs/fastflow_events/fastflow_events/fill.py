"""How full a stream is: it refuses what is new at its bound, and what must still be said then has to fit."""

import logging
from collections.abc import Callable

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from fastflow_events import subjects

logger = logging.getLogger(__name__)

ASK_EVERY_S = 5.0
TIMEOUT_S = 2.0


class _Bound(Struct, frozen=True):
    max_bytes: int = -1


class _Size(Struct, frozen=True):
    bytes: int = 0


class _Info(Struct, frozen=True):
    config: _Bound
    state: _Size


class Gauge:
    """The share of its `max_bytes` that a stream takes up, asked for now and then."""

    def __init__(self, nc: Client, stream: str, *, steady: Callable[[], float]) -> None:
        self._nc = nc
        self._stream = stream
        self._steady = steady
        self._asked: float | None = None
        self._share = 0.0

    async def share(self) -> float:
        """0 to 1, some seconds old; the last one known while nobody answers."""
        now = self._steady()
        if self._asked is None or now - self._asked >= ASK_EVERY_S:
            self._asked = now
            try:
                info = msgspec.json.decode(await self._ask(), type=_Info)
            except (TimeoutError, NatsError, msgspec.MsgspecError) as exc:
                logger.info("the size of the log is not known: %r", exc, extra={"action": "fill_unknown"})
            else:
                self._share = info.state.bytes / info.config.max_bytes if info.config.max_bytes > 0 else 0.0
        return self._share

    async def _ask(self) -> bytes:
        """The server's own answer; on a bus without accounts nobody listens on our name for it."""
        try:
            return (await self._nc.request(subjects.size_of(self._stream), b"", timeout=TIMEOUT_S)).data
        except NoRespondersError:
            return (await self._nc.request(f"$JS.API.STREAM.INFO.{self._stream}", b"", timeout=TIMEOUT_S)).data

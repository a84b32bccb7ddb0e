"""Server-sent events as bytes, many in one piece."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

import msgspec
from fastflow_events.errors import InfrastructureError
from litestar.response import Stream

from fastflow_gateway.core.lines import Line, Told
from fastflow_gateway.core.responses.facts import FactResponse
from fastflow_gateway.core.responses.runs import error_of
from fastflow_gateway.core.unfinished_lines import Part
from fastflow_gateway.core.views.runs import RunRow

logger = logging.getLogger(__name__)
T = TypeVar("T")

KEEP_ALIVE = b": keep-alive\n\n"
RETRY = b"retry: 1000\n\n"
INTERRUPTED = b": interrupted\n\n"
_json = msgspec.json.Encoder()


def of_lines(updates: Iterable[Told]) -> bytes:
    """Lines, gaps and parts; the id names the last line a reader has seen, so that a part has none."""
    return b"".join(
        b"event: partial\ndata: %s\n\n" % _json.encode(one)
        if isinstance(one, Part)
        else b"id: %s\nevent: %s\ndata: %s\n\n"
        % (str(one[0]).encode(), b"line" if type(one[1]) is Line else b"gap", _json.encode(one[1]))
        for one in updates
    )


def of_end(row: RunRow) -> bytes:
    """The run is over and everything was sent; do not come back."""
    data = {"outcome": row.outcome or row.status, "status": row.status, "reason": row.reason, "error": error_of(row)}
    return b"event: end\ndata: %s\n\n" % _json.encode(data)


def of_fact(fact: FactResponse) -> bytes:
    """One fact; the id is its stream position."""
    return b"id: %d\nevent: fact\ndata: %s\n\n" % (fact.seq, _json.encode(fact))


class KeepAliveTimer:
    """How long a stream has said nothing, on the event loop's clock, which never jumps."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self.restart()

    def restart(self) -> None:
        """Something was said."""
        self._since = asyncio.get_running_loop().time()

    def is_due(self) -> bool:
        """True when proxies and clients may begin to think that nobody is there."""
        return asyncio.get_running_loop().time() - self._since >= self._limit_s


async def until_end(
    news: AsyncIterator[list[T] | RunRow], show: Callable[[list[T]], bytes], keep_alive_s: float
) -> AsyncIterator[bytes]:
    """What a run brings as it comes, a sign of life after each silence, and its end."""
    yield RETRY
    keep_alive = KeepAliveTimer(keep_alive_s)
    async for found in news:
        if isinstance(found, RunRow):
            yield of_end(found)
        elif found:
            keep_alive.restart()
            yield show(found)
        elif keep_alive.is_due():
            keep_alive.restart()
            yield KEEP_ALIVE


async def _until_broken(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces; when the world fails the stream just ends, and the client comes back behind what it has seen."""
    try:
        async for piece in pieces:
            yield piece
    except InfrastructureError as exc:
        logger.warning("stream interrupted: %s", exc, extra={"action": "stream_interrupted"})
        yield INTERRUPTED


def stream(pieces: AsyncIterator[bytes]) -> Stream:
    """The response; nothing on the way may hold it back."""
    return Stream(_until_broken(pieces), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

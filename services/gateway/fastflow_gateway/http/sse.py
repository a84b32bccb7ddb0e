"""Server-sent events as bytes, many in one piece."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

import msgspec
from fastflow_events.errors import InfrastructureError
from litestar.response import Stream

from fastflow_gateway.http.silence import Silence
from fastflow_gateway.lines import Line, Told
from fastflow_gateway.presented import FactShown
from fastflow_gateway.unfinished import Part
from fastflow_gateway.views.runs import RunRow

logger = logging.getLogger(__name__)
T = TypeVar("T")

KEEP_ALIVE = b": keep-alive\n\n"
RETRY = b"retry: 1000\n\n"
INTERRUPTED = b": interrupted\n\n"
_json = msgspec.json.Encoder()


def of_lines(told: Iterable[Told]) -> bytes:
    """Lines, gaps and parts; the id names the last line a reader has seen, so that a part has none."""
    return b"".join(
        b"event: partial\ndata: %s\n\n" % _json.encode(one)
        if isinstance(one, Part)
        else b"id: %s\nevent: %s\ndata: %s\n\n"
        % (str(one[0]).encode(), b"line" if type(one[1]) is Line else b"gap", _json.encode(one[1]))
        for one in told
    )


def of_end(row: RunRow) -> bytes:
    """The run is over and everything was sent; do not come back."""
    data = {"outcome": row.outcome or row.status, "status": row.status, "reason": row.reason}
    return b"event: end\ndata: %s\n\n" % _json.encode(data)


def of_fact(fact: FactShown) -> bytes:
    """One fact; the id is its stream position."""
    return b"id: %d\nevent: fact\ndata: %s\n\n" % (fact.seq, _json.encode(fact))


async def until_end(
    news: AsyncIterator[list[T] | RunRow], show: Callable[[list[T]], bytes], keep_alive_s: float
) -> AsyncIterator[bytes]:
    """What a run brings as it comes, a sign of life after each silence, and its end."""
    yield RETRY
    silence = Silence(keep_alive_s)
    async for found in news:
        if isinstance(found, RunRow):
            yield of_end(found)
        elif found:
            silence.broken()
            yield show(found)
        elif silence.too_long():
            silence.broken()
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

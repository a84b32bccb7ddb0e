"""Server-sent events: what a reader takes from its tail, a sign of life after each silence, and an end."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager

from fastflow_events.errors import InfrastructureError
from litestar.response import Stream

from fastflow_gateway.core.live.frames import Frame, events_of
from fastflow_gateway.http.streams import OpenStream, Visit
from fastflow_gateway.tails.reader import Reader

logger = logging.getLogger(__name__)

KEEP_ALIVE = b": keep-alive\n\n"
INTERRUPTED = b": interrupted\n\n"
RETRY_MS = 1000
JITTER = 0.3
"""Whoever was here when the gateway ended does not come back together with all the others."""


def retry() -> bytes:
    """When to come back."""
    return b"retry: %d\n\n" % round(RETRY_MS * random.uniform(1 - JITTER, 1 + JITTER))


async def follow(
    visit: Visit,
    read: Callable[[Callable[[], None]], AbstractContextManager[Reader]],
    show: Callable[[Sequence[Frame]], bytes] | None = None,
) -> AsyncIterator[bytes]:
    """What a tail brings, until it ends, the server does, or whoever reads may not any more.

    `show` is how only this reader sees it; without it each frame is an event.
    """
    yield retry()
    with visit.opened() as stream, read(stream.wake) as reader:
        while not reader.is_at_end:
            if reader.is_behind:
                async for piece in beating(stream, caught_up(reader, show or events_of)):
                    yield piece
            elif pieces := reader.take(show or events_of, shared=show is None):
                if piece := b"".join(pieces):
                    stream.speaks()
                    yield piece
            elif piece := await waited(stream):
                yield piece
            await stream.check()
            if stream.is_over:
                yield retry()
                return


async def caught_up(reader: Reader, show: Callable[[Sequence[Frame]], bytes]) -> AsyncIterator[bytes]:
    """What it reads alone."""
    async for frames, _ in reader.catch_up():
        if piece := show(frames):
            yield piece


async def waited(stream: OpenStream) -> bytes:
    """Wait until somebody wakes the stream; a sign of life when it has been silent for long."""
    await stream.woken()
    return KEEP_ALIVE if stream.is_silent() else b""


async def beating(stream: OpenStream, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, and signs of life while the next one is long in coming."""
    while not stream.is_over:
        coming = asyncio.ensure_future(_next(pieces))
        try:
            while not (await asyncio.wait({coming}, timeout=stream.keep_alive_s))[0]:
                yield KEEP_ALIVE
            piece = await coming
        finally:
            coming.cancel()
        if piece is None:
            return
        stream.speaks()
        yield piece
        await stream.check()


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


async def _until_broken(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces; when the world fails the stream just ends, and the client comes back behind what it has seen."""
    try:
        async for piece in pieces:
            yield piece
    except InfrastructureError as exc:
        logger.debug("stream interrupted: %s", exc, extra={"action": "stream_interrupted"})
        yield INTERRUPTED


def stream_of(pieces: AsyncIterator[bytes]) -> Stream:
    """The response; nothing on the way may hold it back."""
    return Stream(_until_broken(pieces), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

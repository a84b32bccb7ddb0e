"""Bytes that come in pieces."""

from collections.abc import AsyncIterator


async def between(pieces: AsyncIterator[bytes], begin: int, end: int) -> AsyncIterator[bytes]:
    """Those from one place to just before another."""
    at = 0
    async for piece in pieces:
        wanted = piece[max(begin - at, 0) : max(end - at, 0)]
        at += len(piece)
        if wanted:
            yield wanted
        if at >= end:
            return

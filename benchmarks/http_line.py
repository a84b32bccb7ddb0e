"""One kept-alive HTTP connection with as little around it as there can be, so that a benchmark measures the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from benchmarks.measure import CannotMeasureError


class HttpLine:
    """Requests one after the other."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer

    async def post(self, path: str, body: bytes, *, expected: int) -> bytes:
        """The body of the answer.

        Raises:
            CannotMeasureError: it has another status.
        """
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        first, *headers = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
        found = dict(line.split(": ", 1) for line in headers if line)
        content = await self._reader.readexactly(int(found["content-length"]))
        if first.split()[1] != str(expected):
            raise CannotMeasureError(f"POST {path} was answered {first}: {content.decode(errors='replace')[:200]}")
        return content


@asynccontextmanager
async def http_line(url: str) -> AsyncIterator[HttpLine]:
    """A line to the server at this address, closed at the end."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield HttpLine(place.netloc, reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()

"""Health and metrics of services that speak no HTTP to people."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec

from fastflow_events.doubts import Doubts, DoubtsReport
from fastflow_events.service.telemetry import metrics_text

logger = logging.getLogger(__name__)

Ping = Callable[[], Awaitable[str | None]]
"""Answers None when the port works, else a sentence that says what does not."""
Tell = Callable[[], Awaitable[Mapping[str, object]]]
"""Answers what else there is to know, by name."""
PING_TIMEOUT_S = 3.0
_MAX_REQUEST_BYTES = 8192


async def nothing_more() -> Mapping[str, object]:
    """There is nothing else to know."""
    return {}


async def check(pings: Mapping[str, Ping]) -> dict[str, str]:
    """Ask every port; return the name and sentence of each that does not work."""
    broken = {}
    for name, ping in pings.items():
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                problem = await ping()
        except TimeoutError:
            problem = f"no answer within {PING_TIMEOUT_S:g} s"
        if problem:
            broken[name] = problem
    return broken


def status_of(broken: Mapping[str, str], aside: DoubtsReport | None) -> str:
    """One word for it. `degraded` is answered with 200: a restart would not help, so nobody should be made to try."""
    if broken:
        return "unavailable"
    return "degraded" if aside else "ok"


@asynccontextmanager
async def serve(
    host: str, port: int, pings: Mapping[str, Ping], doubts: Doubts, tell: Tell = nothing_more
) -> AsyncIterator[int]:
    """Answer /health/live, /health/ready and /metrics; yields the port. `tell` is asked what readiness says besides."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await _respond(head.split(b" ")[1].decode("ascii", "replace"), pings, doubts, tell))
            await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
            logger.debug("broken health request", extra={"action": "health_request_broken"})
        finally:
            writer.close()

    server = await asyncio.start_server(answer, host, port, limit=_MAX_REQUEST_BYTES)
    bound: int = server.sockets[0].getsockname()[1]
    logger.info("health on port %d", bound, extra={"action": "health_listening", "port": bound})
    try:
        yield bound
    finally:
        server.close()


async def _respond(path: str, pings: Mapping[str, Ping], doubts: Doubts, tell: Tell) -> bytes:
    match path:
        case "/health/live":
            return _response("200 OK", "application/json", b'{"status":"ok"}')
        case "/health/ready":
            broken, aside = await check(pings), doubts.report()
            status = "503 Service Unavailable" if broken else "200 OK"
            body = {"status": status_of(broken, aside), "broken": broken, "set_aside": aside, **await tell()}
            return _response(status, "application/json", msgspec.json.encode(body))
        case "/metrics":
            await tell()
            return _response("200 OK", "text/plain; version=0.0.4", metrics_text())
        case _:
            return _response("404 Not Found", "text/plain", b"not found\n")


def _response(status: str, content_type: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    return head.encode() + b"\r\n" + body

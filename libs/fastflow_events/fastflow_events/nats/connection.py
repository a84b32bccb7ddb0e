"""One NATS connection per process: an nkey, an inbox of its own, reconnecting for ever."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import nats.errors
from nats.aio.client import Client

from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.client import Connection, hang_up
from fastflow_events.service.settings import Settings
from fastflow_events.service.tasks import ended, heard

logger = logging.getLogger(__name__)

RECONNECT_WAIT_S = 0.25
FIRST_CONNECT_WITHIN_S = 5.0
"""A service that cannot connect at all says so and ends; its supervisor starts it again."""


async def _on_error(exc: Exception) -> None:
    logger.warning("nats: %r", exc, extra={"action": "nats_error"})


def options(settings: Settings, name: str) -> dict[str, object]:
    """Connect options shared by nats-py and FastStream."""
    return {
        "servers": [settings.nats_url],
        "name": name,
        "nkeys_seed": str(settings.nats_seed_file) if settings.nats_seed_file else None,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": RECONNECT_WAIT_S,
        "connect_timeout": 5,
        "ping_interval": 10,
        "max_outstanding_pings": 2,
        "error_cb": _on_error,
    }


@asynccontextmanager
async def connect(settings: Settings, name: str) -> AsyncIterator[Connection]:
    """Open a connection; it outlives outages of the server and is closed with the block.

    Raises:
        InfrastructureError: no server answers, or it does not know this key.
    """
    nc = Connection()
    last: list[Exception] = []

    async def on_error(exc: Exception) -> None:
        last.append(exc)
        await _on_error(exc)

    chosen = options(settings, name) | {
        "error_cb": on_error,
        "disconnected_cb": nc.lost,
        "reconnected_cb": nc.reconnects.tell,
    }
    try:
        try:
            async with asyncio.timeout(FIRST_CONNECT_WITHIN_S):
                await heard(nc.connect(**chosen))  # type: ignore[arg-type]
        except (nats.errors.Error, OSError, TimeoutError) as exc:
            reason = last[-1] if last else exc
            raise InfrastructureError(f"NATS at {settings.nats_url} cannot be used: {reason!r}") from exc
        yield nc
    finally:
        await close(nc)


async def close(nc: Client) -> None:
    """Close for good, whatever nats-py is at; a server that is gone cannot be told the rest."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        with suppress(nats.errors.Error, OSError):
            await nc.close()
    except asyncio.CancelledError:
        # When the server has died this moment, nats-py awaits what it has just cancelled itself.
        if task is None or task.cancelling() > before:
            raise
    finally:
        # It gives up where the server is gone, and leaves the socket open.
        try:
            if (again := nc._reconnection_task) is not None:
                await ended([again])
        finally:
            hang_up(nc)

"""A whole gateway for tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from fastflow_events.log import EventLog
from fastflow_events.testing.eventually import eventually

from fastflow_gateway.server import server_of
from fastflow_gateway.settings import GatewaySettings

START_WITHIN_S = 20.0
READY = 200


@asynccontextmanager
async def running_gateway(nats_url: str, home: Path, **more: Any) -> AsyncIterator[str]:
    """Serve on a free port, as shipped, until the block ends; yields the URL."""
    address_file = home / "address"
    address_file.unlink(missing_ok=True)
    settings = GatewaySettings(**{"nats_url": nats_url, "home": home, "port": 0, "address_file": address_file, **more})
    server = server_of(settings)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(START_WITHIN_S):
            while not address_file.exists():
                if task.done():
                    raise RuntimeError("the gateway did not start; its log says why")
                await asyncio.sleep(0.01)
        yield address_file.read_text().strip()
    finally:
        server.leave()
        await asyncio.wait_for(task, START_WITHIN_S)


async def caught_up(get: Callable[[str], Awaitable[Any]], log: EventLog) -> None:
    """Wait until a gateway is ready and shows everything that the log holds now; facts come to it a moment later.

    `get` asks it, and answers as httpx does.
    """
    seq = await log.last_seq()

    async def shown() -> bool:
        answer = await get("/health/ready")
        return bool(answer.status_code == READY and answer.json()["seq"] >= seq)

    await eventually(shown, within_s=60)


class Event(NamedTuple):
    """One server-sent event; `name` is empty for what only keeps the stream alive."""

    id: str
    name: str
    data: Any


async def read_events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    """Read an event stream line by line, as a browser would."""
    id, name, data = "", "", ""
    async for line in lines:
        field, _, value = line.partition(": ")
        if field == "id":
            id = value
        elif field == "event":
            name = value
        elif field == "data":
            data = value
        elif line.startswith(": "):
            yield Event("", "", line[2:])
        elif not line and name:
            yield Event(id, name, msgspec.json.decode(data))
            id, name = "", ""

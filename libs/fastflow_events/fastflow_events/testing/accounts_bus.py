"""A real server with our accounts, for tests of who may do what."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastflow_events.aggregates.run.commands import RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.execute import execute
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_events.testing.nats_server import nats_server

VICTIM = "victim"
"""A run that somebody asked for."""


class Bus:
    """One server with our accounts, and a connection for whoever is named."""

    def __init__(self, url: str, keys: Path, stack: AsyncExitStack) -> None:
        self.url = url
        self._keys = keys
        self._stack = stack

    async def client(self, user: str) -> Connection:
        """A connection of that user."""
        settings = Settings(nats_url=self.url, nats_seed_file=seed_path(self._keys, user))
        return await self._stack.enter_async_context(connect(settings, user))

    async def log(self, user: str) -> JetStreamLog:
        """The log as that user sees it."""
        return JetStreamLog(await self.client(user), source=f"/fastflow/{user}/1")


@asynccontextmanager
async def bus_with_accounts(folder: Path) -> AsyncGenerator[Bus]:
    """A server under `folder` with the accounts of an installation that has two runners, every stream, and one run."""
    keys = folder / "keys"
    make_keys(keys, runners=("runner-1", "runner-2"))
    with nats_server(folder / "nats", config=f'include "../keys/{PUBLIC_FILE}"\n') as url:
        async with AsyncExitStack() as stack:
            bus = Bus(url, keys, stack)
            await deploy(await bus.client("deployer"))
            gateway = await bus.log("gateway")
            await execute(gateway, run_decider, VICTIM, RequestRun(request=run_requested()), cause=CAUSE)
            yield bus

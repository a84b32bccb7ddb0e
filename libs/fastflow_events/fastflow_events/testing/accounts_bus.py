"""A real server with our accounts, for tests of who may do what."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastflow_events.accounts import render
from fastflow_events.client import Connection
from fastflow_events.connection import connect
from fastflow_events.deploy import deploy
from fastflow_events.jetstream_log import JetStreamLog
from fastflow_events.keys import make_keys, seed_path
from fastflow_events.settings import Settings
from fastflow_events.testing.nats_server import nats_server


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
    """A server under `folder` with the accounts of an installation that has two runners, and every stream on it."""
    keys = folder / "keys"
    make_keys(keys, runners=("runner-1", "runner-2"))
    config = f'include "../keys/public.conf"\n{render(runners=("runner-1", "runner-2"))}'
    with nats_server(folder / "nats", config=config) as url:
        async with AsyncExitStack() as stack:
            bus = Bus(url, keys, stack)
            await deploy(await bus.client("deployer"))
            yield bus

"""The installation's own nats-server, with the accounts that compose uses too."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.accounts import DEPLOYER
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.nats.room import RoomSettings
from fastflow_events.nats.server_process import Starting, find_binary, launch
from fastflow_events.service.settings import Settings, load

from fastflow_cli.home import Home, find_home
from fastflow_cli.local.spawn import leashed
from fastflow_cli.local.state import is_up, read_state

DEPLOYED_WITHIN_S = 20.0


class OwnServer:
    """The server on one port: its configuration, and how it is started, as often as asked."""

    def __init__(self, home: Home, port: int, env: Mapping[str, str], *, store_bytes: int) -> None:
        """Makes the keys that are missing.

        Raises:
            InfrastructureError: there is no usable nats-server.
        """
        self._home = home
        self._port = port
        self._store_bytes = store_bytes
        make_keys(home.keys)
        self._config = (home.keys / PUBLIC_FILE).read_text()
        self._binary = find_binary(env)

    def launch(self) -> Starting:
        """Start it, and do not wait until it answers."""
        return launch(
            self._binary,
            self._home.nats,
            config=self._config,
            port=self._port,
            prefix=leashed(()),
            store_bytes=self._store_bytes,
        )

    def spawn(self) -> "subprocess.Popen[bytes]":
        """The same, as the supervisor wants it."""
        return self.launch().process


async def deploy_streams(nats_url: str, seed_file: Path | None, room: RoomSettings, *, store: int) -> list[str]:
    """Declare streams and consumers with the deployer's key; returns what changed, in words.

    Raises:
        InfrastructureError: no server answers, or the key is not the deployer's.
        DomainError: what is there cannot be taken over, or there is no room; see `deploy`.
    """
    settings = Settings(nats_url=nats_url, nats_seed_file=seed_file, instance=f"deploy-{os.getpid()}")

    async def connected() -> list[str]:
        async with connect(settings, "deploy") as nc:
            return await deploy(nc, store=store, bounds=room.bounds(store), chosen=room.chosen().keys())

    work = asyncio.create_task(connected())
    try:
        await asyncio.wait({work}, timeout=DEPLOYED_WITHIN_S)
        if work.done():
            return work.result()
    finally:
        work.cancel()
    raise InfrastructureError(f"NATS at {nats_url} cannot be used: no answer in {DEPLOYED_WITHIN_S:g} s")


def deployer_seed(home: Home) -> Path:
    """The only key that may declare streams."""
    return seed_path(home.keys, DEPLOYER)


def settings_of(user: str, home: Path | None, nats_url: str | None, seed_file: Path | None) -> Settings:
    """The server and that user's key: named, in the environment, or of the installation on this machine."""
    given = load(Settings, {k: v for k, v in os.environ.items() if k.startswith("FASTFLOW_NATS_")})
    here = find_home(home, os.environ)
    state = read_state(here)
    if nats_url is None and "FASTFLOW_NATS_URL" not in os.environ and state is not None and is_up(here):
        return Settings(nats_url=state.nats_url, nats_seed_file=seed_file or seed_path(here.keys, user))
    return Settings(nats_url=nats_url or given.nats_url, nats_seed_file=seed_file or given.nats_seed_file)

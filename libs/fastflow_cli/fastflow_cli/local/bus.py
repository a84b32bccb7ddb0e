"""The installation's own nats-server, with the accounts that compose uses too."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from fastflow_events.accounts import DEPLOYER, render, variables
from fastflow_events.connection import connect
from fastflow_events.deploy import deploy
from fastflow_events.errors import InfrastructureError
from fastflow_events.keys import make_keys, seed_path
from fastflow_events.nats_process import RunningServer, find_binary, start_server
from fastflow_events.settings import Settings

from fastflow_cli.home import Home
from fastflow_cli.local.spawn import leashed

DEPLOYED_WITHIN_S = 20.0


def starter(home: Home, port: int, env: Mapping[str, str]) -> Callable[[], RunningServer]:
    """Make the keys that are missing; return what starts the server on that port, as often as asked.

    Raises:
        InfrastructureError: there is no usable nats-server.
    """
    public = make_keys(home.keys)
    config = variables(public) + render()
    binary = find_binary(env)
    prefix = leashed(())

    def start() -> RunningServer:
        return start_server(Path(binary), home.nats, config=config, port=port, prefix=prefix)

    return start


def process_of(start: Callable[[], RunningServer]) -> "Callable[[], subprocess.Popen[bytes]]":
    """The same, as the supervisor wants it."""
    return lambda: start().process


async def deploy_streams(nats_url: str, seed_file: Path | None) -> list[str]:
    """Declare streams and consumers with the deployer's key; returns what changed, in words.

    Raises:
        InfrastructureError: no server answers, or the key is not the deployer's.
        WeakerStreamError: an existing stream keeps more than would be declared.
    """
    settings = Settings(nats_url=nats_url, nats_seed_file=seed_file, instance=f"deploy-{os.getpid()}")

    async def connected() -> list[str]:
        async with connect(settings, "deploy") as nc:
            return await deploy(nc)

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

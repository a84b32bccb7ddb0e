"""Three servers: replicas that somebody asked for by hand are kept by the deploy step, on the real cluster."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastflow_cli.local.ports import free_ports
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats import topology
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.server_process import RunningServer, find_binary, launch, wait_for
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from nats.aio.client import Client

pytestmark = pytest.mark.nats


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[RunningServer]]:
    """Three servers that know each other."""
    routes = free_ports(3)
    known = ", ".join(f'"nats-route://127.0.0.1:{port}"' for port in routes)
    with ExitStack() as stack:
        starting = []
        for number, port in enumerate(routes):
            config = f'server_name: n{number}\ncluster {{ name: c, listen: "127.0.0.1:{port}", routes: [{known}] }}\n'
            server = launch(find_binary(os.environ), tmp_path / f"n{number}", config=config)
            stack.callback(server.end)
            starting.append(server)
        yield [wait_for(server) for server in starting]


async def deployed(nc: Client) -> list[str] | None:
    """What changed, or None while the servers have not agreed on a leader yet."""
    try:
        return await deploy(nc)
    except (InfrastructureError, TimeoutError):
        return None


async def test_replicas_set_by_hand_are_kept_at_every_start(cluster: list[RunningServer]) -> None:
    async with connect(Settings(nats_url=cluster[0].url), "test") as nc:

        async def settled() -> bool:
            return await deployed(nc) == []

        await eventually(settled, within_s=60)
        js = nc.jetstream()
        config = (await js.stream_info(topology.EVENTS)).config
        await js.update_stream(config.evolve(num_replicas=3))
        assert await deploy(nc) == []
        assert (await js.stream_info(topology.EVENTS)).config.num_replicas == 3

"""The gateway with nothing but the rights of its own account does all of its work."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.ids import run_id_of_trigger
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.nats.stream_info import created_at
from fastflow_events.output import Chunk, OutFrame, encode_chunk
from fastflow_events.recorded import Position
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE, NOON, pipeline_discovered, run_claimed, run_dispatched
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
from fastflow_gateway.testing import read_events, running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats


class World(NamedTuple):
    """A gateway behind its account, and others on the bus."""

    api: httpx.AsyncClient
    deployer: Connection
    external: Client


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    keys = tmp_path / "keys"
    make_keys(keys)
    config = (keys / PUBLIC_FILE).read_text()
    with nats_server(tmp_path / "nats", config=config) as url:

        def settings(user: str) -> Settings:
            return Settings(nats_url=url, nats_seed_file=seed_path(keys, user))

        async with connect(settings("deployer"), "deployer") as deployer:
            await deploy(deployer)
            log = JetStreamLog(deployer, source="/fastflow/test/1")
            configured = RepositoryConfigured(url="file:///r", branch="main")
            await log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
            await log.append(Position(aggregate="repository", id="main"), [configured], cause=CAUSE)
            async with (
                connect(settings("external"), "external") as external,
                running_gateway(url, tmp_path, nats_seed_file=seed_path(keys, "gateway")) as base,
                httpx.AsyncClient(base_url=base, timeout=20) as api,
            ):
                yield World(api, deployer, external)


async def test_it_is_ready_and_turns_wishes_into_facts(world: World) -> None:
    async def ready() -> bool:
        return (await world.api.get("/health/ready")).status_code == 200

    await eventually(ready)
    run = (await world.api.post("/api/pipelines/hello/run")).json()
    assert (await world.api.get(f"/api/runs/{run['id']}/facts")).json()["items"][0]["type"] == "run.requested.v1"
    assert (await world.api.post(f"/api/runs/{run['id']}/cancel")).status_code == 202
    assert (await world.api.post("/api/sync", json={"repository": "main"})).status_code == 202
    facts = (await world.api.get("/api/events")).json()["items"]
    assert [fact["type"] for fact in facts[2:]] == [
        "run.requested.v1",
        "run.cancel_requested.v1",
        "repository.sync_requested.v1",
    ]


async def test_output_reaches_the_browser_while_it_is_written(world: World) -> None:
    run = (await world.api.post("/api/pipelines/hello/run")).json()
    async with asyncio.timeout(20), world.api.stream("GET", f"/api/runs/{run['id']}/logs/stream") as response:
        events = read_events(response.aiter_lines())
        log, claim = JetStreamLog(world.deployer, source="/fastflow/test/1"), (run_dispatched(), run_claimed())
        await log.append((await log.load("run", run["id"])).position, claim, cause=CAUSE)
        for n in range(3):
            chunk = Chunk(first=n, frames=(OutFrame("stdout", NOON, b"%d\n" % n),))
            await world.deployer.jetstream().publish(subjects.output(run["id"], 1, "runner-1"), encode_chunk(chunk))
            assert (await anext(events)).data["text"] == str(n)


async def test_other_systems_come_in_by_both_doors(world: World) -> None:
    stored = await world.external.request(subjects.trigger("hello"), b"", timeout=10)
    made = await created_at(world.external, "FASTFLOW_TRIGGERS")
    run_id = run_id_of_trigger("FASTFLOW_TRIGGERS", made, json.loads(stored.data)["seq"])

    async def exists() -> bool:
        return (await world.api.get(f"/api/runs/{run_id}")).status_code == 200

    await eventually(exists)
    answer = json.loads((await world.external.request(subjects.request("hello"), b"", timeout=10)).data)
    assert (await world.api.get(f"/api/runs/{answer['run_id']}")).status_code == 200


async def test_what_cannot_be_handled_can_be_seen_and_discarded(world: World) -> None:
    await world.external.request(subjects.trigger("hello"), b"garbage", timeout=10)

    async def letters() -> list[dict[str, int]]:
        found: list[dict[str, int]] = (await world.api.get("/api/dead-letters")).json()["items"]
        return found

    [letter] = await eventually(letters)
    assert (await world.api.delete(f"/api/dead-letters/{letter['seq']}")).status_code == 204
    assert await letters() == []

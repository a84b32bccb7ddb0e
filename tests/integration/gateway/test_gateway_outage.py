"""NATS goes away and comes back: people still see what was, requests are refused, and then everything goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastflow_events import subjects
from fastflow_events.ids import run_id_of_trigger
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.stream_info import created_at
from fastflow_events.nats.topology import TRIGGERS
from fastflow_events.output import Chunk, OutFrame, encode_chunk
from fastflow_events.recorded import Position
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE, NOON, pipeline_discovered, run_claimed, run_dispatched
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import MortalServer
from fastflow_gateway.testing import Event, read_events, running_gateway

pytestmark = pytest.mark.nats


@asynccontextmanager
async def world(tmp_path: Path) -> AsyncIterator[tuple[MortalServer, httpx.AsyncClient]]:
    server = MortalServer(tmp_path / "nats")
    try:
        async with connect(Settings(nats_url=server.url), "test") as nc:
            await deploy(nc)
            position = Position(aggregate="pipeline", id="hello")
            await JetStreamLog(nc, source="/t").append(position, [pipeline_discovered()], cause=CAUSE)
        async with (
            running_gateway(server.url, tmp_path) as base,
            httpx.AsyncClient(base_url=base, timeout=30) as client,
        ):
            yield server, client
    finally:
        server.kill()


async def status(client: httpx.AsyncClient, method: str, path: str) -> int:
    return (await client.request(method, path)).status_code


async def test_an_outage_refuses_wishes_shows_what_was_and_loses_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as (server, client):
        before = (await client.post("/api/pipelines/hello/run")).json()
        await eventually(lambda: knows(client, before["id"]))
        server.kill()

        async def refused() -> bool:
            answer = await client.post("/api/pipelines/hello/run")
            return answer.status_code == 503 and answer.headers["retry-after"] == "1"

        await eventually(refused)
        assert await status(client, "GET", "/api/pipelines/hello") == 200
        assert await status(client, "GET", f"/api/runs/{before['id']}") == 200
        assert await status(client, "GET", "/health/live") == 200
        assert await status(client, "GET", "/health/ready") == 503
        server.start()

        async def accepted() -> Any:
            answer = await client.post("/api/pipelines/hello/run")
            return answer.status_code == 202 and answer.json()["id"]

        after = await eventually(accepted, within_s=30)
        await eventually(lambda: knows(client, after), within_s=30)
        assert await knows(client, before["id"])


async def knows(client: httpx.AsyncClient, run_id: str) -> bool:
    return run_id in [run["id"] for run in (await client.get("/api/runs")).json()["items"]]


async def test_the_door_for_other_systems_opens_again(tmp_path: Path) -> None:
    async with world(tmp_path) as (server, client):
        server.kill()
        server.start()
        async with connect(Settings(nats_url=server.url), "other") as other:
            seq = (await other.jetstream().publish(subjects.trigger("hello"), b"")).seq
            run_id = run_id_of_trigger(TRIGGERS, await created_at(other, TRIGGERS), seq)
            await eventually(lambda: knows(client, run_id), within_s=60)


async def test_a_line_stream_is_joined_again_behind_the_last_line_seen(tmp_path: Path) -> None:
    async with world(tmp_path) as (server, client):
        run_id = (await client.post("/api/pipelines/hello/run")).json()["id"]
        path = f"/api/runs/{run_id}/logs/stream"
        await write(server, run_id, 0)
        seen = await first_line(client, path)
        server.kill()
        server.start()
        await write(server, run_id, 1)

        async def resumed() -> Event | None:
            try:
                return await first_line(client, path, seen.id)
            except (httpx.HTTPError, StopAsyncIteration):
                return None

        again = await eventually(resumed, within_s=60)
        assert again is not None
        assert (seen.data["text"], again.data["text"]) == ("0", "1")


async def write(server: MortalServer, run_id: str, n: int) -> None:
    async with connect(Settings(nats_url=server.url), "runner") as nc:
        if n == 0:
            log, claim = JetStreamLog(nc, source="/fastflow/test/1"), (run_dispatched(), run_claimed())
            await log.append((await log.load("run", run_id)).position, claim, cause=CAUSE)
        chunk = Chunk(first=n, frames=(OutFrame("stdout", NOON, b"%d\n" % n),))
        await nc.jetstream().publish(subjects.output(run_id, 1, "runner-1"), encode_chunk(chunk))


async def first_line(client: httpx.AsyncClient, path: str, seen: str = "") -> Event:
    headers = {"Last-Event-ID": seen} if seen else {}
    async with client.stream("GET", path, headers=headers) as response:
        events = read_events(response.aiter_lines())
        while (event := await anext(events)).name != "line":
            pass
        return event

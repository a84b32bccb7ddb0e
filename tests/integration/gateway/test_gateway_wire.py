"""What comes over a bare connection: requests that never end, that end twice, and headers that say who asks."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_gateway.testing import running_gateway

pytestmark = pytest.mark.nats

WITHIN_S = 30.0
JSON = b"Content-Type: application/json\r\n"
LONG = b"GET /api/queue HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"
MANY = b"GET /api/queue HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 101 + b"\r\n"
HEAD = b"POST /api/pipelines/hello/run HTTP/1.1\r\nHost: localhost\r\n"


class World(NamedTuple):
    """Where a gateway may live, and the log it writes to."""

    log: JetStreamLog
    nats_url: str
    home: Path

    @asynccontextmanager
    async def gateway(self, **more: object) -> AsyncGenerator[str]:
        """It knows pipeline `hello`."""
        await self.log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
        async with running_gateway(self.nats_url, self.home, **more) as url:
            yield url

    @asynccontextmanager
    async def spoken_to(self, **more: object) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A bare connection to it."""
        async with self.gateway(**more) as url, connected(url) as both:
            yield both


@pytest.fixture
def world(jetstream_log: JetStreamLog, nats_url: str, tmp_path: Path) -> World:
    return World(jetstream_log, nats_url, tmp_path)


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        async with asyncio.timeout(WITHIN_S):
            yield reader, writer
    finally:
        writer.close()


async def ends(reader: asyncio.StreamReader) -> bytes:
    """All that is said until the other side ends the connection."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET /api/runs HT",
        HEAD,
        HEAD + JSON + b"Content-Length: 10\r\n\r\n{",
        HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
)
async def test_half_a_request_does_not_stay_open(world: World, half: bytes) -> None:
    async with world.spoken_to(request_head_within_s=0.2, request_body_within_s=0.2) as (reader, writer):
        writer.write(half)
        received = await ends(reader)
        if half.endswith(b"{"):
            assert received.startswith(b"HTTP/1.1 408 ")
            assert b"urn:fastflow:request-timeout" in received
        else:
            assert received == b""


async def test_a_request_that_trickles_in_gains_no_time(world: World) -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        while not writer.is_closing():
            writer.write(b"X-More: 1\r\n")
            await asyncio.sleep(0.01)

    async with world.spoken_to(request_head_within_s=0.3) as (reader, writer):
        task = asyncio.create_task(trickle(writer))
        assert await ends(reader) == b""
        task.cancel()


async def test_half_a_request_behind_a_whole_one_does_not_stay_open_either(world: World) -> None:
    async with world.spoken_to(request_head_within_s=0.2) as (reader, writer):
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health/li")
        assert (await ends(reader)).startswith(b"HTTP/1.1 200")


async def test_a_stream_and_a_connection_that_is_kept_outlive_the_time_for_a_head(world: World) -> None:
    async with world.spoken_to(request_head_within_s=0.3, keep_alive_s=0.2) as (reader, writer):
        for _ in range(3):
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200" in await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"}")
        writer.write(b"GET /api/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(5):  # a second of silence
            await reader.readuntil(b": ")


@pytest.mark.parametrize(
    "twice",
    [
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
        HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_a_request_that_ends_twice_is_refused_with_all_that_follows(world: World, twice: bytes) -> None:
    async with world.spoken_to() as (reader, writer):
        before = await world.log.last_seq()
        writer.write(twice + HEAD + b"Content-Length: 0\r\n\r\n")
        received = await ends(reader)
    assert received.startswith(b"HTTP/1.1 400")
    assert received.count(b"HTTP/1.1 ") == 1
    assert b"urn:fastflow:ambiguous-request" in received
    assert await world.log.last_seq() == before


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"NO SUCH THING\r\n\r\n", 400, b"unreadable-request"),
        (LONG, 431, b"request-header-fields"),
        (MANY, 431, b"request-header-fields"),
        (b"GET /api/runs?q=" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, b"uri-too-long"),
    ],
    ids=["no request", "long header", "many headers", "long address"],
)
async def test_what_the_server_itself_refuses_is_a_problem_too(
    world: World, raw: bytes, status: int, code: bytes
) -> None:
    async with world.spoken_to() as (reader, writer):
        writer.write(raw)
        received = await ends(reader)
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in received
    assert b"x-content-type-options: nosniff" in received
    assert b"urn:fastflow:" + code in received


async def test_who_leaves_early_is_no_bug(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with world.gateway() as url:
        async with connected(url) as (_, writer):
            writer.write(HEAD + b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
            await writer.drain()
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{url}/health/live")).status_code == 200
    assert [each for each in caplog.records if each.levelname in ("ERROR", "WARNING") and each.exc_info] == []


async def test_who_asks_too_often_is_told_when_to_come_back(world: World) -> None:
    limits = {"trusted_proxies": "127.0.0.1", "requests_per_s": 0.01, "requests_at_once": 3}
    async with world.gateway(**limits) as url, httpx.AsyncClient(base_url=url) as client:
        stranger = {"X-Forwarded-For": "203.0.113.9"}
        answers = [await client.get("/nothing", headers=stranger) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
        assert int(answers[-1].headers["retry-after"]) > 1
        assert answers[-1].json()["type"] == "urn:fastflow:too-many-requests"
        assert (await client.get("/health/live", headers=stranger)).status_code == 200
        other = {"X-Forwarded-For": "203.0.113.10"}
        assert (await client.get("/nothing", headers=other)).status_code == 404
        assert (await client.get("/nothing")).status_code == 404


async def test_more_at_once_than_can_be_answered_is_refused_at_once(world: World) -> None:
    async with (
        world.gateway(requests_open=1) as url,
        httpx.AsyncClient(base_url=url) as client,
        client.stream("GET", "/api/events/stream") as there,
    ):
        assert there.status_code == 200
        refused = await client.get("/api/queue")
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:fastflow:busy")
        assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8", "127.0.0.1", "127.0.0.0/8, 10.0.0.7"])
async def test_no_address_gets_into_the_log_whoever_says_it(world: World, trusted: str) -> None:
    async with world.gateway(trusted_proxies=trusted) as url, httpx.AsyncClient() as client:
        headers = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
        answer = await client.post(f"{url}/api/pipelines/hello/run", headers=headers)
        assert answer.status_code == 202, answer.text
    [asked] = [r.fact async for r in world.log.read("fastflow.evt.run.*.requested")]
    assert isinstance(asked, RunRequested)
    assert asked.trigger.who == "local"

"""Many readers, slow ones, ones that read nothing, and the end of all of them, on a real nats-server."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import caught_up, read_events, running_gateway
from fastflow_gateway.testing.idle_runner import RUN
from fastflow_gateway.testing.writing_runner import WritingRunner
from nats.aio.client import Client

pytestmark = pytest.mark.nats


@pytest.fixture
def runner(nc: Client, jetstream_log: JetStreamLog) -> WritingRunner:
    return WritingRunner(nc.jetstream().publish, jetstream_log)


@pytest_asyncio.fixture
async def api(nats_url: str, runner: WritingRunner, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        running_gateway(nats_url, tmp_path) as base,
        httpx.AsyncClient(base_url=base, timeout=30, limits=httpx.Limits(max_connections=200)) as client,
    ):
        yield client


async def lines_of(client: httpx.AsyncClient, path: str) -> list[str]:
    """The text of every line until the end."""
    found: list[str] = []
    async with client.stream("GET", path) as response:
        async for event in read_events(response.aiter_lines()):
            match event.name:
                case "line":
                    found.append(event.data["text"])
                case "lines":
                    found += [line["text"] for line in event.data]
                case _:
                    pass
    return found


async def deaf(url: str, path: str) -> socket.socket:
    """Somebody who asks and then reads nothing."""
    parts = urlsplit(url)
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.setblocking(False)
    await asyncio.get_running_loop().sock_connect(one, (parts.hostname, parts.port))
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(one, head.encode())
    assert (await asyncio.get_running_loop().sock_recv(one, 12)).endswith(b"200")
    return one


async def test_each_of_many_readers_sees_every_line_once_whatever_the_others_do(
    api: httpx.AsyncClient, runner: WritingRunner
) -> None:
    await runner.start()
    line, paths = "x" * 500, [f"/api/live?run={RUN}&lines=0.0", f"/api/runs/{RUN}/logs/stream"]
    readers = [asyncio.create_task(lines_of(api, paths[n % 2])) for n in range(30)]
    never = await deaf(str(api.base_url), paths[1])
    for n in range(0, 6000, 60):
        await runner.write(*(f"{n + k} {line}\n".encode() for k in range(60)))
        if n == 3000:
            readers.pop().cancel()
            readers += [asyncio.create_task(lines_of(api, path)) for path in paths]
    await runner.finish()
    wanted = [f"{n} {line}" for n in range(6000)]
    for lines in await asyncio.gather(*readers):
        assert lines == wanted
    never.close()


async def test_when_the_gateway_ends_its_streams_say_when_to_come_back_and_end(
    nats_url: str, runner: WritingRunner, tmp_path: Path
) -> None:
    await runner.start()
    async with AsyncExitStack() as stack:
        gateway = running_gateway(nats_url, tmp_path, graceful_timeout_s=600)
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=await gateway.__aenter__(), timeout=60))
        response = await stack.enter_async_context(client.stream("GET", "/api/live"))
        pieces = response.aiter_text()
        text = await anext(pieces)
        assert 700 <= int(text.removeprefix("retry: ").split()[0]) <= 1300
        ending = asyncio.create_task(gateway.__aexit__(None, None, None))
        rest = "".join([piece async for piece in pieces])
        assert rest.rstrip().splitlines()[-1].startswith("retry: ")
        await ending


async def test_who_reads_nothing_is_let_go(nats_url: str, runner: WritingRunner, tmp_path: Path) -> None:
    await runner.start()
    async with running_gateway(nats_url, tmp_path, slow_reader_s=0.3, streams=1) as base:
        never = await deaf(base, f"/api/runs/{RUN}/logs/stream")
        async with httpx.AsyncClient(base_url=base, timeout=30) as client:

            async def status() -> int:
                async with client.stream("GET", "/api/live") as response:
                    return response.status_code

            async def refused() -> bool:
                return await status() == 503

            async def served() -> bool:
                return await status() == 200

            await eventually(refused)
            for _ in range(12):
                await runner.write(b"x" * 999_000 + b"\n")
            await eventually(served, within_s=60)
        never.close()


async def test_there_are_no_more_streams_than_may_be(nats_url: str, runner: WritingRunner, tmp_path: Path) -> None:
    async with (
        running_gateway(nats_url, tmp_path, streams=3, streams_per_client=2, keep_alive_s=0.1) as base,
        httpx.AsyncClient(base_url=base, timeout=30) as client,
        client.stream("GET", "/api/live") as one,
        client.stream("GET", "/api/events/stream") as two,
    ):
        events = [read_events(stream.aiter_lines()) for stream in (one, two)]
        assert [await anext(each) for each in events]
        async with client.stream("GET", "/api/live") as refused:
            await refused.aread()
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["detail_message"] == {"code": "refused.client_has_streams", "args": {"most": 2}}


async def test_a_stream_ends_when_the_token_it_was_opened_with_is_revoked(
    nats_url: str, runner: WritingRunner, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    async with (
        running_gateway(nats_url, tmp_path, login="on", keep_alive_s=0.1) as base,
        httpx.AsyncClient(base_url=base, timeout=30) as client,
    ):
        first = tmp_path / "gateway" / "first-admin.token"

        async def known() -> bool:
            headers = {"Authorization": f"Bearer {first.read_text().strip()}"} if first.exists() else {}
            return (await client.get("/api/me", headers=headers)).is_success

        await eventually(known, within_s=30)
        admin = {"Authorization": f"Bearer {first.read_text().strip()}"}
        made = (await client.post("/api/tokens", headers=admin, json={"name": "page", "role": "viewer"})).json()
        await caught_up(client.get, jetstream_log)
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with client.stream("GET", "/api/live", headers=headers) as response:
            pieces = response.aiter_text()
            assert (await anext(pieces)).startswith("retry: ")
            await client.delete(f"/api/tokens/{made['id']}", headers=admin)
            assert [piece async for piece in pieces][-1].startswith("retry: ")

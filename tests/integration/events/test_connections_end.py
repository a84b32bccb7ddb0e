"""A connection that is left leaves no socket open, whatever has become of its server."""

import asyncio
import gc
from asyncio.selector_events import _SelectorSocketTransport  # type: ignore[attr-defined]
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastflow_events.nats.connection import connect
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import MortalServer

pytestmark = pytest.mark.nats


def open_sockets() -> list[object]:
    """Those of this test's loop; one that is closing takes a round of it."""
    loop = asyncio.get_running_loop()
    found = [one for one in gc.get_objects() if isinstance(one, _SelectorSocketTransport)]
    return [one for one in found if one._loop is loop and not one.is_closing()]


async def hang_up_on(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("rounds", [0, 1, 2, 3, 5, 8, 13, 50])
async def test_none_when_its_server_has_died_this_moment(tmp_path: Path, rounds: int) -> None:
    server = MortalServer(tmp_path / "nats")
    async with connect(Settings(nats_url=server.url), "test") as nc:
        server.kill()
        for _ in range(rounds):
            await nc.publish("words", b"x" * 10_000)
            await asyncio.sleep(0)
    assert open_sockets() == []


async def test_none_when_it_is_told_to_end_while_it_connects() -> None:
    greeted = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeted.set()
        try:
            await asyncio.sleep(3600)
        finally:
            writer.close()

    async def use(url: str) -> None:
        async with connect(Settings(nats_url=url), "test"):
            raise AssertionError("nobody answers")

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        using = asyncio.create_task(use(f"nats://127.0.0.1:{port}"))
        await greeted.wait()
        using.cancel()
        await asyncio.wait({using})
        assert using.cancelled()
        ours = [one for one in open_sockets() if one.get_extra_info("peername")[1] == port]  # type: ignore[attr-defined]
        assert ours == []


async def test_none_of_the_attempts_at_a_server_that_is_not_itself(tmp_path: Path) -> None:
    server, tries = MortalServer(tmp_path / "nats"), 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        await hang_up_on(reader, writer)

    port = urlsplit(server.url).port
    async with connect(Settings(nats_url=server.url), "test"):
        server.kill()
        async with await asyncio.start_server(refuse, "127.0.0.1", port):
            await eventually(lambda: tries >= 4, within_s=60)
            ours = [one for one in open_sockets() if one.get_extra_info("peername")[1] == port]  # type: ignore[attr-defined]
            assert len(ours) <= 1
    assert open_sockets() == []

"""What is stored while nobody listens is found as soon as the connection is back, however rarely is asked otherwise."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.repository.events import RepositorySyncRequested
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.consumers import fetch
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.server_process import RunningServer, find_binary, start_server
from fastflow_events.nats.topology import EVENTS
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.settings import Settings
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import CAUSE
from fastflow_events.testing.eventually import eventually

pytestmark = pytest.mark.nats

NEVER_S = 3600.0


class Server:
    """A nats-server that comes back at its address, and meanwhile may be at another."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._running = self.start(-1)
        self.url = self._running.url

    def start(self, port: int) -> RunningServer:
        self._running = start_server(find_binary(os.environ), self._store, port=port)
        return self._running

    def kill(self) -> None:
        self._running.process.kill()
        self._running.process.wait()

    async def fall_silent(self) -> None:
        """Answer nothing any more, and keep the connections."""
        process = self._running.process
        process.send_signal(signal.SIGSTOP)
        await eventually(lambda: "\nState:\tT" in Path(f"/proc/{process.pid}/status").read_text())

    async def store_while_away(self, number: int) -> None:
        """Go away, take a fact from somebody else, and come back."""
        self.kill()
        await append(self.start(-1).url, number)
        self.kill()
        self.start(urlsplit(self.url).port or -1)


async def append(url: str, number: int) -> None:
    async with connect(Settings(nats_url=url), "other") as nc:
        fact = RepositorySyncRequested(who="ann")
        await JetStreamLog(nc, source="/t").append(
            Position(aggregate="repository", id=f"r{number}"), [fact], cause=CAUSE
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "nats")
    yield running
    running.kill()


async def follow(nc: Connection, found: list[Recorded]) -> None:
    """Find facts, and ask for them on bells and returns only."""
    async for batch in JetStreamLog(nc, source="/t", ask_s=NEVER_S).follow(subjects.EVENTS, after_seq=0):
        found.extend(batch)


async def test_a_follower_finds_what_was_stored_while_it_was_cut_off(server: Server) -> None:
    found: list[Recorded] = []
    async with connect(Settings(nats_url=server.url), "follower") as nc:
        await deploy(nc)
        async with background(follow(nc, found)):
            await append(server.url, 1)
            await eventually(lambda: len(found) == 1)
            await server.store_while_away(2)
            await eventually(lambda: [recorded.id for recorded in found] == ["r1", "r2"], within_s=60)


async def test_a_follower_that_is_cut_off_while_it_asks_asks_again(server: Server) -> None:
    found: list[Recorded] = []
    async with connect(Settings(nats_url=server.url), "follower") as nc:
        await deploy(nc)
        async with background(follow(nc, found)):
            await append(server.url, 1)
            await eventually(lambda: len(found) == 1)
            await nc.flush()
            await server.fall_silent()
            sent = nc.stats["out_msgs"]
            await nc.reconnects.tell()
            await eventually(lambda: nc.stats["out_msgs"] > sent)
            await server.store_while_away(2)
            await eventually(lambda: [recorded.id for recorded in found] == ["r1", "r2"], within_s=60)


async def test_a_question_that_the_server_forgot_is_asked_again(server: Server) -> None:
    async with connect(Settings(nats_url=server.url), "taker") as nc:
        await deploy(nc)
        pulled = await nc.jetstream().pull_subscribe_bind("git_sync-sync", EVENTS)
        sent = nc.stats["out_msgs"]
        asking = asyncio.create_task(fetch(nc.reconnects, pulled, 1, NEVER_S))
        await eventually(lambda: nc.stats["out_msgs"] > sent)
        await server.store_while_away(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asking, 30)
        [message] = await asyncio.wait_for(fetch(nc.reconnects, pulled, 1, NEVER_S), 30)
        assert message.metadata.sequence.stream == 1

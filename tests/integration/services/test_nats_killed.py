"""NATS is killed again and again while facts are appended: what was acknowledged is there, once and in order."""

import asyncio
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from fastflow_events.errors import ConcurrencyError, InfrastructureError
from fastflow_events.log import EventLog
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.settings import Settings
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import CAUSE, version_stored
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import MortalServer

pytestmark = pytest.mark.nats
WRITERS, KILLS, BETWEEN = 8, 5, 200
"""That many facts are acknowledged between two kills."""
AGAIN_S = 0.05


@pytest.fixture
def server(tmp_path: Path) -> Generator[MortalServer]:
    server = MortalServer(tmp_path / "nats")
    yield server
    server.kill()


async def write(log: EventLog, name: str, acknowledged: list[Recorded]) -> None:
    """Append for ever; the only writer of this aggregate, so it may look where it stands."""
    while True:
        try:
            position = (await log.load("pipeline", name)).position
            while True:
                [recorded] = await log.append(position, [version_stored()], cause=CAUSE)
                acknowledged.append(recorded)
                position = Position(aggregate="pipeline", id=name, version=recorded.version, seq=recorded.seq)
        except (InfrastructureError, ConcurrencyError):
            await asyncio.sleep(AGAIN_S)


async def test_nobody_waits_for_an_answer_that_was_lost_with_its_connection(server: MortalServer) -> None:
    async with connect(Settings(nats_url=server.url), "test") as nc:
        await deploy(nc)
        log = JetStreamLog(nc, source="/fastflow/test/1")
        server.signal(signal.SIGSTOP)
        questions = [asyncio.create_task(question) for question in (log.last_seq(), log.load("run", "r1"))]
        new = Position(aggregate="pipeline", id="p1")
        fact = asyncio.create_task(log.append(new, [version_stored()], cause=CAUSE))
        await asyncio.sleep(0.2)  # they are on their way
        server.kill()
        server.start()
        for answer in await asyncio.gather(*questions, fact, return_exceptions=True):
            assert isinstance(answer, InfrastructureError)
            assert "LostError" in str(answer), "it waited until its time was over"
        assert not (await log.load("pipeline", "p1")).facts


async def test_a_server_that_is_killed_again_and_again_loses_nothing_and_stores_nothing_twice(
    server: MortalServer,
) -> None:
    acknowledged: dict[str, list[Recorded]] = {f"p{n}": [] for n in range(WRITERS)}

    def count() -> int:
        return sum(map(len, acknowledged.values()))

    async def more() -> None:
        enough = count() + BETWEEN
        await eventually(lambda: count() >= enough, within_s=60)

    async with connect(Settings(nats_url=server.url), "test") as nc:
        await deploy(nc)
        log = JetStreamLog(nc, source="/fastflow/test/1")
        async with background(*(write(log, name, facts) for name, facts in acknowledged.items())):
            for _ in range(KILLS):
                await more()
                server.kill()
                server.start()
            await more()
        for name, mine in acknowledged.items():
            stored = (await log.load("pipeline", name)).recorded
            assert [recorded.version for recorded in stored] == list(range(1, len(stored) + 1))
            there = {recorded.seq: recorded.written for recorded in stored}
            assert all(there.get(recorded.seq) == recorded.written for recorded in mine)
            # At each kill one may have been stored without an answer, and one more was on its way at the end.
            assert len(mine) <= len(stored) <= len(mine) + KILLS + 1

"""Power fails while facts are appended: a file system loses for real all that was not synced, in the middle of it."""

from pathlib import Path

import pytest
from fastflow_events.errors import FastflowError
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.settings import Settings
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import CAUSE, version_stored
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import MortalServer
from fastflow_events.testing.own_disk import OwnDisk

pytestmark = pytest.mark.nats
WRITERS = 8
FACTS = 400


def log_of(nc: Connection) -> JetStreamLog:
    return JetStreamLog(nc, source="/fastflow/test/1")


async def write(log: JetStreamLog, name: str, at_once: int, acknowledged: list[Recorded]) -> None:
    """Append to one aggregate until nothing is acknowledged any more."""
    position = Position(aggregate="pipeline", id=name)
    while True:
        facts = [version_stored(definition={"description": f"{position.version}-{n}"}) for n in range(at_once)]
        try:
            recorded = await log.append(position, facts, cause=CAUSE)
        except FastflowError:
            return
        acknowledged += recorded
        position = Position(aggregate="pipeline", id=name, version=recorded[-1].version, seq=recorded[-1].seq)


async def written_until_the_cut(server: MortalServer, disk: OwnDisk, unsynced: Path) -> dict[str, tuple[Recorded, ...]]:
    """What was acknowledged to eight writers, half of which append two facts at once."""
    acknowledged: dict[str, list[Recorded]] = {f"p{n}": [] for n in range(WRITERS)}
    async with connect(Settings(nats_url=server.url), "test") as nc:
        await deploy(nc)
        writers = [write(log_of(nc), name, 1 + n % 2, facts) for n, (name, facts) in enumerate(acknowledged.items())]
        async with background(*writers):
            await eventually(lambda: sum(map(len, acknowledged.values())) >= FACTS, within_s=60)
            unsynced.write_bytes(b"never synced")
            # What is acknowledged while the disk dies does not count: with the power gone nobody could say it.
            before = {name: tuple(facts) for name, facts in acknowledged.items()}
            disk.cut()
            server.kill()
    return before


async def test_a_power_cut_loses_no_acknowledged_fact(disk: OwnDisk) -> None:
    server = MortalServer(disk.root / "nats")
    unsynced = disk.root / "unsynced"
    try:
        acknowledged = await written_until_the_cut(server, disk, unsynced)
        disk.remount()
        assert not unsynced.exists() or not unsynced.read_bytes(), "that was no power cut"
        server = MortalServer(disk.root / "nats")
        async with connect(Settings(nats_url=server.url), "test") as nc:
            log = log_of(nc)
            for n, (name, recorded) in enumerate(acknowledged.items()):
                history = await log.load("pipeline", name)
                assert [r.written for r in history.recorded[: len(recorded)]] == [r.written for r in recorded]
                # What was on its way may be there, whole, or not.
                assert len(history.recorded) % (1 + n % 2) == 0
                [more] = await log.append(history.position, [version_stored()], cause=CAUSE)
                assert more.version == len(history.recorded) + 1
            assert await deploy(nc) == []
    finally:
        server.kill()

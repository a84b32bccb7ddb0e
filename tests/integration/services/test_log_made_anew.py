"""NATS comes back with a log that was made anew: who folded the one before ends, and its next start folds this one."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from fastflow_events import subjects
from fastflow_events.errors import AnotherLogError
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.projection import project
from fastflow_events.service.settings import Settings
from fastflow_events.service.store import Store, open_store
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import MortalServer

pytestmark = pytest.mark.nats


class Names:
    """The ids of aggregates, in the order of their facts."""

    name = "names"
    subject = subjects.EVENTS

    def __init__(self, store: Store) -> None:
        self._store = store
        self.seen: list[str] = []

    async def apply(self, batch: Sequence[Recorded]) -> None:
        self.seen += [recorded.id for recorded in batch]

    def doubt(self, aggregate: str, id: str) -> None:
        raise AssertionError(id)

    def committed(self, seq: int) -> None:
        pass


async def append(log: JetStreamLog, *ids: str) -> None:
    for id in ids:
        await log.append(Position(aggregate="run", id=id), [run_requested()], cause=CAUSE)


async def live_through(server: MortalServer, path: Path, nc: Connection) -> None:
    """Fold the log while NATS is killed, loses its disk, and gets another one."""
    log = JetStreamLog(nc, source="/fastflow/test/1")
    await append(log, "a", "b", "c")
    async with open_store(path, "") as store, background(project(log, store, names := Names(store))):
        await eventually(lambda: names.seen == ["a", "b", "c"])
        server.kill()
        shutil.rmtree(path.parent / "nats" / "jetstream")
        server.start()
        await eventually(lambda: nc.stats["reconnects"] > 0, within_s=60)
        await deploy(nc)
        await append(log, "d")
        await eventually(lambda: "d" in names.seen, within_s=60)


async def test_a_service_that_lives_through_it_ends_and_folds_the_new_log_when_it_starts_again(tmp_path: Path) -> None:
    server, path = MortalServer(tmp_path / "nats"), tmp_path / "x.db"
    try:
        async with connect(Settings(nats_url=server.url), "test") as nc:
            await deploy(nc)
            with pytest.raises(AnotherLogError):
                await live_through(server, path, nc)
            log = JetStreamLog(nc, source="/fastflow/test/2")
            async with open_store(path, "") as store, background(project(log, store, names := Names(store))):
                await eventually(lambda: names.seen == ["d"])
    finally:
        server.kill()

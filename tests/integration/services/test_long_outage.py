"""The bus is away for longer than a lease: whoever hears again first must not believe that the others are dead."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.events import RunAdopted, RunClaimed, RunFinished, RunLost, RunStarted
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import heartbeats
from fastflow_events.nats.topology import HEARTBEAT_TTL_S
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import MortalServer
from fastflow_runner.testing.living_runner import WAITER, LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_scheduler.testing import scheduling

pytestmark = pytest.mark.nats
RUNS = 6
AWAY_S = HEARTBEAT_TTL_S + 2


@pytest.fixture
def server(tmp_path: Path) -> Generator[MortalServer]:
    server = MortalServer(tmp_path / "nats")
    yield server
    server.kill()


@pytest_asyncio.fixture
async def bus(server: MortalServer) -> AsyncGenerator[Connection]:
    async with connect(Settings(nats_url=server.url), "test") as nc:
        await deploy(nc)
        yield nc


async def test_an_outage_that_outlives_every_lease_runs_nothing_twice(
    server: MortalServer, bus: Connection, tmp_path: Path
) -> None:
    """Runners of two engines, and a scheduler that would give up a silent runner after a second."""
    log, flag = JetStreamLog(bus, source="/fastflow/test/1"), tmp_path / "flag"
    names = ("first", "second")
    runners = [LivingRunner(tmp_path / name, server.url, name=name, executor="process") for name in names]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(scheduling(server.url, tmp_path / "scheduler", lost_after_s=1))
        for runner in runners:
            runner.start(slots=str(RUNS // 2))
            stack.callback(runner.stop)

        async def both() -> bool:
            return len(await heartbeats(bus)) == len(runners)

        await eventually(both, within_s=60)
        script = WAITER.format(flag=str(flag))
        runs = [await submit(bus, log, script, retry_on_lost=True) for _ in range(RUNS)]
        for run_id in runs:
            await eventually(lambda id=run_id: chunks_of(bus, id), within_s=60)  # type: ignore[misc]
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(AWAY_S)
        server.start()
        await eventually(both, within_s=60)
        flag.touch()
        for run_id in runs:
            [over] = await eventually(lambda id=run_id: facts_of(log, id, RunFinished), within_s=60)  # type: ignore[misc]
            assert over == RunFinished(outcome="succeeded", attempt=1, detail="")
            assert text_of(await chunks_of(bus, run_id)) == "begins\nends\n"
            for kind, times in ((RunClaimed, 1), (RunStarted, 1), (RunAdopted, 0), (RunLost, 0)):
                assert len(await facts_of(log, run_id, kind)) == times

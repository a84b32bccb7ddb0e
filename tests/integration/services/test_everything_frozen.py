"""Server, scheduler and runner are stopped together, for longer than anybody may be silent, and go on."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastflow_events.aggregates.run.events import RunFinished, RunLost
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import heartbeats
from fastflow_events.nats.topology import HEARTBEAT_TTL_S
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import MortalServer
from fastflow_rules.liveness import MARGIN_S
from fastflow_runner.testing.living_runner import WAITER, LivingRunner, chunks_of, facts_of, submit, text_of

pytestmark = [pytest.mark.nats, pytest.mark.timeout(300)]
FROZEN_S = 2 * HEARTBEAT_TTL_S + MARGIN_S + 2
"""Longer than the scheduler was patient at its start."""
BETWEEN_S = 3.0
"""How much later than the scheduler the runner goes on: the scheduler has listened by then, and heard nobody."""


@pytest.fixture
def server(tmp_path: Path) -> Generator[MortalServer]:
    server = MortalServer(tmp_path / "nats")
    yield server
    server.kill()


@asynccontextmanager
async def on(server: MortalServer) -> AsyncGenerator[tuple[Connection, JetStreamLog]]:
    """A connection that is made when the server answers."""
    async with connect(Settings(nats_url=server.url), "test") as nc:
        yield nc, JetStreamLog(nc, source="/fastflow/test/1")


async def test_what_was_frozen_with_everything_else_is_not_given_up(server: MortalServer, tmp_path: Path) -> None:
    """The machine of all three is suspended, or their containers are paused; a run goes on as if nothing had been."""
    flag = tmp_path / "flag"
    runner = LivingRunner(tmp_path / "runner", server.url, executor="process")
    own = {
        "FASTFLOW_NATS_URL": server.url,
        "FASTFLOW_HOME": str(tmp_path / "scheduler"),
        "FASTFLOW_INSTANCE": "one",
        "FASTFLOW_LOST_AFTER_S": "5",
    }
    command = (sys.executable, "-m", "fastflow_scheduler")
    scheduler = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **own}, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        async with on(server) as (nc, log):
            await deploy(nc)
            runner.start()
            await eventually(lambda: heartbeats(nc), within_s=60)
            run_id = await submit(nc, log, WAITER.format(flag=str(flag)))
            await eventually(lambda: chunks_of(nc, run_id), within_s=60)
        runner.signal(signal.SIGSTOP)
        scheduler.send_signal(signal.SIGSTOP)
        server.signal(signal.SIGSTOP)
        await asyncio.sleep(FROZEN_S)
        server.signal(signal.SIGCONT)
        async with on(server) as (nc, log):

            async def nobody() -> bool:
                return not await heartbeats(nc)

            await eventually(nobody, within_s=30)
            scheduler.send_signal(signal.SIGCONT)
            await asyncio.sleep(BETWEEN_S)
            runner.signal(signal.SIGCONT)
            await eventually(lambda: heartbeats(nc), within_s=60)
            flag.touch()
            [over] = await eventually(lambda: facts_of(log, run_id, RunFinished), within_s=90)
            assert over == RunFinished(outcome="succeeded", attempt=1, detail="")
            assert await facts_of(log, run_id, RunLost) == []
            assert text_of(await chunks_of(nc, run_id)) == "begins\nends\n"
    finally:
        scheduler.kill()
        await scheduler.wait()
        runner.stop()

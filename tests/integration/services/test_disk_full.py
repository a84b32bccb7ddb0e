"""The disk of NATS fills up: that is told, nothing acknowledged is lost, and room and a restart are all it takes."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.commands import RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunDispatched
from fastflow_events.execute import execute
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, run_requested, version_stored
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import MortalServer
from fastflow_events.testing.own_disk import OwnDisk
from fastflow_gateway.testing import running_gateway
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_scheduler.testing import living_runners, scheduling

pytestmark = pytest.mark.nats
WAITER = """
import os, time
print("waits", flush=True)
while not os.path.exists({flag!r}):
    time.sleep(0.05)
print("goes")
"""
STALLED = (
    "the log answers, but did not store this within 5 s; "
    "if that goes on, the disk of NATS is full: make room, then restart nats-server"
)


@pytest.fixture
def server(disk: OwnDisk) -> Generator[MortalServer]:
    server = MortalServer(disk.root / "nats")
    yield server
    server.stop()


@pytest_asyncio.fixture
async def bus(server: MortalServer) -> AsyncGenerator[Connection]:
    async with connect(Settings(nats_url=server.url), "test") as nc:
        await deploy(nc)
        facts = [version_stored(), pipeline_discovered()]
        await JetStreamLog(nc, source="/t").append(Position(aggregate="pipeline", id="hello"), facts, cause=CAUSE)
        yield nc


@asynccontextmanager
async def gateway(server: MortalServer, home: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with running_gateway(server.url, home) as base, httpx.AsyncClient(base_url=base, timeout=60) as api:
        yield api


async def ask(api: httpx.AsyncClient) -> tuple[int, str]:
    """Status, and what is wrong or the run's id."""
    answer = await api.post("/api/pipelines/hello/run", json={})
    return answer.status_code, answer.json().get("detail") or answer.json()["id"]


async def test_a_disk_that_is_nearly_full_starts_nothing_until_there_is_room(
    server: MortalServer, bus: Connection, disk: OwnDisk
) -> None:
    """The log itself has room, and so nothing else has noticed."""
    log = JetStreamLog(bus, source="/t")
    hog = disk.fill(but_mb=100)
    async with living_runners(server.url), scheduling(server.url, disk.root), gateway(server, disk.root) as api:
        status, detail = await ask(api)
        assert status == 503
        assert detail.startswith("the disk is full but for ")
        assert detail.endswith(" MiB, and the rest is kept for ending what runs; make room")
        await execute(log, run_decider, "r1", RequestRun(request=run_requested()), cause=CAUSE)

        async def says_why() -> bool:
            run = (await api.get("/api/runs/r1")).json()
            return "the disk is full" in (run.get("waiting_for") or {}).get("reason", "")

        await eventually(says_why, within_s=30)
        assert not await facts_of(log, "r1", RunDispatched)
        hog.unlink()
        await eventually(lambda: facts_of(log, "r1", RunDispatched), within_s=30)
        assert (await ask(api))[0] == 202


async def test_a_full_disk_is_told_and_loses_nothing_that_was_acknowledged(
    server: MortalServer, bus: Connection, disk: OwnDisk, tmp_path: Path
) -> None:
    """The gateway keeps its own files elsewhere, so that it cannot see the disk."""
    log, flag = JetStreamLog(bus, source="/t"), tmp_path / "flag"
    runner = LivingRunner(tmp_path / "runner", server.url, executor="process")
    runner.start()
    try:
        running = await submit(bus, log, WAITER.format(flag=str(flag)))
        await eventually(lambda: chunks_of(bus, running), within_s=60)
        async with gateway(server, tmp_path) as api:
            hog = disk.fill()
            accepted = await until_refused(api)
            assert (await api.get("/api/pipelines/hello")).status_code == 200
            ready = await api.get("/health/ready")
            assert (ready.status_code, ready.json()["broken"]) == (503, {"log": STALLED})
            flag.touch()
            await eventually(lambda: "a fact waits" in runner.log_text(), within_s=60)
            hog.unlink()
            server.stop()
            server.start()

            async def taken() -> str:
                with suppress(httpx.HTTPError):
                    status, run_id = await ask(api)
                    return run_id if status == 202 else ""
                return ""

            accepted.append(await eventually(taken, within_s=60))
            assert (await api.get("/health/ready")).status_code == 200
        [end] = await eventually(lambda: facts_of(log, running, RunAttemptFinished), within_s=60)
        assert isinstance(end, RunAttemptFinished)
        assert end.outcome == "succeeded"
        assert text_of(await chunks_of(bus, running)) == "waits\ngoes\n"
        for run_id in accepted:
            assert (await log.load("run", run_id)).facts
    finally:
        runner.stop()


async def until_refused(api: httpx.AsyncClient) -> list[str]:
    """The runs that were accepted before; a server that has no room says so by storing nothing."""
    accepted: list[str] = []
    while True:
        status, found = await ask(api)
        if status != 202:
            assert (status, found) == (503, STALLED)
            return accepted
        accepted.append(found)

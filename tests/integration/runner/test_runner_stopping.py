"""Telling the runner to stop: what it leaves, what it finishes, and with which code it goes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunClaimed, RunStarted
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import heartbeat_of
from fastflow_events.nats.server_process import find_binary, start_server
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from nats.aio.client import Client

pytestmark = pytest.mark.nats

SLOW = "import time\nfor n in range(30): print(n, flush=True); time.sleep(0.2)"


@pytest_asyncio.fixture
async def runner(nc: Client, nats_url: str, tmp_path: Path) -> AsyncIterator[LivingRunner]:
    runner = LivingRunner(tmp_path / "home", nats_url, executor="process")
    yield runner
    runner.stop()


async def begun(runner: LivingRunner, nc: Client, log: JetStreamLog) -> str:
    run_id = await submit(nc, log, SLOW)
    await eventually(lambda: chunks_of(nc, run_id))
    return run_id


async def test_a_draining_runner_finishes_what_is_in_hand_takes_nothing_new_and_says_so(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start(drain="true")
    run_id = await begun(runner, nc, jetstream_log)
    runner.signal(signal.SIGTERM)
    await eventually(lambda: '"draining"' in runner.log_text())
    late = await submit(nc, jetstream_log, "print('late')")

    async def no_slots() -> bool:
        found = await heartbeat_of(nc, "r1")
        return bool(found and found[0] and found[0].slots == 0)

    await eventually(no_slots)
    assert await runner.ended() == 0
    [end] = await facts_of(jetstream_log, run_id, RunAttemptFinished)
    assert isinstance(end, RunAttemptFinished)
    assert end.outcome == "succeeded"
    assert text_of(await chunks_of(nc, run_id)) == "".join(f"{n}\n" for n in range(30))
    assert not await facts_of(jetstream_log, late, RunClaimed)


async def test_who_does_not_want_to_wait_for_a_draining_runner_says_it_again(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start(drain="true")
    run_id = await begun(runner, nc, jetstream_log)
    runner.signal(signal.SIGTERM)
    await eventually(lambda: '"draining"' in runner.log_text())
    runner.signal(signal.SIGTERM)
    assert await runner.ended() == 0
    assert not await facts_of(jetstream_log, run_id, RunAttemptFinished)
    runner.start()
    [end] = await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=30)
    assert isinstance(end, RunAttemptFinished)
    assert end.outcome == "succeeded"


@pytest.mark.parametrize("drain", ["false", "true"])
async def test_an_idle_runner_stops_at_once(runner: LivingRunner, nc: Client, drain: str) -> None:
    runner.start(drain=drain)
    await eventually(lambda: heartbeat_of(nc, "r1"))
    assert runner.stop() == 0


async def test_a_runner_does_not_wait_for_packages_that_do_not_come(
    nc: Client, jetstream_log: JetStreamLog, nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    index = await asyncio.start_server(silent, "127.0.0.1")
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{index.sockets[0].getsockname()[1]}/simple")
    runner = LivingRunner(tmp_path / "home", nats_url, executor="process", pre_heat="false")
    try:
        runner.start()
        run_id = await submit(nc, jetstream_log, "print(1)", requirements="never-answered==1.0")
        async with asyncio.timeout(60):
            await asked.wait()
        assert await asyncio.to_thread(runner.stop) == 0
        assert not await facts_of(jetstream_log, run_id, RunAttemptFinished)
    finally:
        runner.stop()
        index.close()


async def test_a_runner_that_is_told_to_stop_while_nats_is_away_stops_without_an_error(tmp_path: Path) -> None:
    server = start_server(find_binary(os.environ), tmp_path / "nats")
    runner = LivingRunner(tmp_path / "home", server.url, executor="process")
    try:
        async with connect(Settings(nats_url=server.url), "test") as nc:
            await deploy(nc)
            log = JetStreamLog(nc, source="/fastflow/test/1")
            runner.start()
            run_id = await submit(nc, log, SLOW)
            await eventually(lambda: facts_of(log, run_id, RunStarted))
        server.process.kill()
        await asyncio.to_thread(server.process.communicate)
        await eventually(lambda: "no heartbeat" in runner.log_text() or "no work" in runner.log_text())
        assert runner.stop() == 0
        assert "Traceback" not in runner.log_text()
        port = int(server.url.rsplit(":", 1)[1])
        server = start_server(find_binary(os.environ), tmp_path / "nats", port=port)
        runner.start()
        async with connect(Settings(nats_url=server.url), "test") as nc:
            log = JetStreamLog(nc, source="/fastflow/test/1")
            await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=30)
            assert text_of(await chunks_of(nc, run_id)) == "".join(f"{n}\n" for n in range(30))
    finally:
        runner.stop()
        server.process.kill()
        server.process.communicate()

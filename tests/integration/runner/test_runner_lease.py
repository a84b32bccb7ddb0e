"""Who may work under a runner's id, and what the runner says about itself."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunStarted
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import Heartbeat, beat, heartbeat_of
from fastflow_events.testing.eventually import eventually
from fastflow_runner.testing.living_runner import LivingRunner, facts_of, submit
from msgspec.structs import replace
from nats.aio.client import Client

pytestmark = pytest.mark.nats


@pytest_asyncio.fixture
async def runner(nc: Client, nats_url: str, tmp_path: Path) -> AsyncIterator[LivingRunner]:
    runner = LivingRunner(tmp_path / "home", nats_url, executor="process")
    yield runner
    runner.stop()


async def living(nc: Client, *, other_than: str = "") -> Heartbeat:
    async def found() -> Heartbeat | None:
        stored = await heartbeat_of(nc, "r1")
        return stored[0] if stored and stored[0] and stored[0].incarnation != other_than else None

    heartbeat = await eventually(found, within_s=60)
    assert heartbeat is not None
    return heartbeat


async def test_a_killed_runner_is_back_before_its_lease_has_run_out(runner: LivingRunner, nc: Client) -> None:
    runner.start()
    before = await living(nc)
    runner.kill()
    runner.start()
    after = await living(nc, other_than=before.incarnation)
    assert "runner_id_in_use" not in runner.log_text(), "it waited until the lease had run out"
    assert (after.runner, after.engine, after.executor, after.slots) == ("r1", before.engine, "process", 4)
    assert after.versions["python"]
    assert after.standby is None
    assert after.disk is not None
    assert 0 < after.disk.free_bytes < after.disk.size_bytes


async def test_a_runner_that_lost_its_home_takes_its_id_back_once_the_old_process_is_silent(
    runner: LivingRunner, nc: Client, nats_url: str, tmp_path: Path
) -> None:
    runner.start()
    before = await living(nc)
    runner.kill()
    elsewhere = LivingRunner(tmp_path / "elsewhere", nats_url, executor="process")
    elsewhere.start()
    try:
        await living(nc, other_than=before.incarnation)
        assert "runner_id_in_use" in elsewhere.log_text()
    finally:
        elsewhere.stop()


async def test_a_runner_whose_id_was_taken_goes_and_leaves_its_attempts_running(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    heartbeat = await living(nc)
    run_id = await submit(nc, jetstream_log, "import time\ntime.sleep(6)")
    await eventually(lambda: facts_of(jetstream_log, run_id, RunStarted))
    await beat(nc, replace(heartbeat, incarnation="somebody else"))
    assert await runner.ended() == 1
    assert "another process is alive as runner r1" in runner.log_text()
    runner.start()
    [end] = await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=90)
    assert isinstance(end, RunAttemptFinished)
    assert end.outcome == "succeeded"


async def test_a_runner_says_whether_it_is_ready_and_what_it_does(runner: LivingRunner, nc: Client) -> None:
    runner.start()
    found = await eventually(lambda: re.search(r'"port":(\d+)', runner.log_text()))
    assert found is not None
    address = f"http://127.0.0.1:{found[1]}"
    async with httpx.AsyncClient() as client:
        ready = await client.get(f"{address}/health/ready")
        metrics = await client.get(f"{address}/metrics")
    assert ready.json() == {"status": "ok", "broken": {}, "set_aside": None}
    assert "fastflow_attempts_running 0.0" in metrics.text


async def test_settings_that_do_not_fit_stop_the_start_with_the_variables_name(runner: LivingRunner) -> None:
    runner.start(executor="kubernetes")
    assert await runner.ended() == 2
    assert "FASTFLOW_EXECUTOR" in runner.log_text()


async def test_a_forced_executor_that_is_not_there_stops_the_start(runner: LivingRunner) -> None:
    runner.start(executor="process", uv="/nowhere/uv")
    assert await runner.ended() == 1
    assert "FASTFLOW_UV" in runner.log_text()
    runner.start(executor="docker", docker_url="tcp://127.0.0.1:9")
    assert await runner.ended() == 1

"""Whatever is killed, whenever: user code runs once, and every line is stored once and in order."""

import asyncio
import os
import random
import shutil
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.commands import AdoptAttempt, Holder, LoseAttempt, RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAdopted, RunAttemptFinished, RunClaimed, RunStarted
from fastflow_events.execute import execute
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.server_process import RunningServer, find_binary, start_server
from fastflow_events.recorded import Cause
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from nats.aio.client import Client

pytestmark = pytest.mark.nats

DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-recovery-{os.getpid()}")
OWNER = f"recovery-{os.getpid()}"
CAUSE = Cause(correlation_id="test")
SCRIPT = """
import os, sys, time
token = os.urandom(4).hex()
for n in range({lines}):
    print(token, n, flush=True)
    print("e", n, file=sys.stderr, flush=True)
    time.sleep({pause})
"""


@pytest_asyncio.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
async def runner(
    request: pytest.FixtureRequest, nc: Client, nats_url: str, tmp_path: Path
) -> AsyncGenerator[LivingRunner]:
    settings = {"executor": request.param}
    if request.param == "docker":
        url = request.getfixturevalue("proxy")
        settings |= {"docker_url": url, "docker_network": "bridge", "docker_volume": DEPLOYMENT.volume}
    runner = LivingRunner(tmp_path / "home", nats_url, name=OWNER, **settings)
    yield runner
    runner.stop()


async def end_of(log: JetStreamLog, run_id: str, *, within_s: float = 60.0) -> RunAttemptFinished:
    [fact] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=within_s)
    assert isinstance(fact, RunAttemptFinished)
    return fact


async def must_have_run_once(nc: Client, run_id: str, lines: int) -> None:
    """Every line carries a token that user code makes at its start."""
    chunks = await chunks_of(nc, run_id)
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    words = [line.split() for line in text_of(chunks).splitlines()]
    assert len({token for token, _ in words}) == 1
    assert [int(n) for _, n in words] == list(range(lines))
    assert text_of(chunks, "stderr") == "".join(f"e {n}\n" for n in range(lines))


@pytest.mark.parametrize(
    "phase", ["claimed", "code", "environment", "launched", "started", "ended", "streamed", "finished"]
)
async def test_a_runner_that_dies_after_a_phase_leaves_a_run_that_ends_right(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog, phase: str
) -> None:
    runner.start(crash_at=phase)
    run_id = await submit(nc, jetstream_log, SCRIPT.format(lines=20, pause=0.1))
    assert await runner.ended() == -signal.SIGKILL
    runner.start()
    end = await end_of(jetstream_log, run_id)
    assert (end.outcome, end.exit_code, end.output_lines) == ("succeeded", 0, 40)
    await must_have_run_once(nc, run_id, 20)
    assert len(await facts_of(jetstream_log, run_id, RunClaimed)) == 1
    assert len(await facts_of(jetstream_log, run_id, RunStarted)) == 1
    await eventually(lambda: "orphan_removed" in runner.log_text() or phase != "finished")


async def test_a_runner_that_is_killed_again_and_again_loses_and_doubles_nothing(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    random_bytes = random.Random(seed := random.randrange(1 << 32))
    runner.start()
    run_id = await submit(nc, jetstream_log, SCRIPT.format(lines=400, pause=0.03))
    for _ in range(6):
        await asyncio.sleep(random_bytes.uniform(0.4, 2.5))
        runner.kill()
        runner.start()
    end = await end_of(jetstream_log, run_id)
    assert (end.outcome, end.output_lines) == ("succeeded", 800), f"seed {seed}: {end.detail}"
    await must_have_run_once(nc, run_id, 400)


async def test_a_runner_that_is_told_to_stop_leaves_the_run_to_the_next_one(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, SCRIPT.format(lines=60, pause=0.05))
    await eventually(lambda: chunks_of(nc, run_id), within_s=60)
    assert runner.stop() == 0
    assert not await facts_of(jetstream_log, run_id, RunAttemptFinished)
    runner.start()
    assert (await end_of(jetstream_log, run_id)).outcome == "succeeded"
    await must_have_run_once(nc, run_id, 60)
    assert len(await facts_of(jetstream_log, run_id, RunAdopted)) == 1


@pytest.mark.parametrize("phase", ["claimed", "code", "environment", "launched", "started"])
async def test_a_cancel_that_comes_while_the_runner_is_dead_is_kept(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog, phase: str
) -> None:
    runner.start(crash_at=phase)
    run_id = await submit(nc, jetstream_log, SCRIPT.format(lines=10_000, pause=0.1))
    assert await runner.ended() == -signal.SIGKILL
    await execute(jetstream_log, run_decider, run_id, RequestCancel(who="ann"), cause=CAUSE)
    runner.start()
    assert (await end_of(jetstream_log, run_id)).outcome == "cancelled"
    started = await facts_of(jetstream_log, run_id, RunStarted)
    assert bool(started) == (phase in ("launched", "started"))
    assert (await chunks_of(nc, run_id))[-1].last


@pytest.mark.parametrize("phase", ["ended", "streamed"])
async def test_a_cancel_that_comes_before_anybody_has_said_how_a_script_ended_still_counts(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog, phase: str
) -> None:
    runner.start(crash_at=phase)
    run_id = await submit(nc, jetstream_log, SCRIPT.format(lines=3, pause=0))
    assert await runner.ended() == -signal.SIGKILL
    await execute(jetstream_log, run_decider, run_id, RequestCancel(who="ann"), cause=CAUSE)
    runner.start()
    end = await end_of(jetstream_log, run_id)
    assert (end.outcome, end.exit_code, end.detail) == ("cancelled", 0, "cancelled")
    await must_have_run_once(nc, run_id, 3)


async def test_a_cancel_before_the_claim_drops_the_dispatch(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    run_id = await submit(nc, jetstream_log, SCRIPT.format(lines=1, pause=0))
    await execute(jetstream_log, run_decider, run_id, RequestCancel(who="ann"), cause=CAUSE)
    runner.start()
    await eventually(lambda: "dispatch_dropped" in runner.log_text())
    assert not await facts_of(jetstream_log, run_id, RunClaimed)


async def test_a_runner_whose_attempt_was_given_up_ends_it_and_says_nothing(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, SCRIPT.format(lines=10_000, pause=0.1))
    await eventually(lambda: chunks_of(nc, run_id), within_s=60)
    await execute(jetstream_log, run_decider, run_id, LoseAttempt(attempt=1), cause=CAUSE)
    await eventually(lambda: "removed" in runner.log_text() or '"kept":false' in runner.log_text())
    before = len(await chunks_of(nc, run_id))
    next_run = await submit(nc, jetstream_log, SCRIPT.format(lines=1, pause=0))
    assert (await end_of(jetstream_log, next_run)).outcome == "succeeded"
    assert len(await chunks_of(nc, run_id)) == before
    assert not await facts_of(jetstream_log, run_id, RunAttemptFinished)


async def test_a_runner_whose_attempt_was_adopted_on_its_engine_leaves_the_container_alone(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, SCRIPT.format(lines=60, pause=0.05))
    await eventually(lambda: facts_of(jetstream_log, run_id, RunStarted), within_s=60)
    [claim] = await facts_of(jetstream_log, run_id, RunClaimed)
    assert isinstance(claim, RunClaimed)
    thief = Holder(runner=OWNER, incarnation="another", engine=claim.engine)
    await execute(jetstream_log, run_decider, run_id, AdoptAttempt(attempt=1, holder=thief), cause=CAUSE)
    await eventually(lambda: '"kept":true' in runner.log_text())
    runner.kill()
    runner.start()
    assert (await end_of(jetstream_log, run_id)).outcome == "succeeded"
    await must_have_run_once(nc, run_id, 60)


@pytest.mark.parametrize("executor", ["process", pytest.param("docker", marks=pytest.mark.docker)])
async def test_a_restarted_nats_server_disturbs_nothing_that_runs(
    request: pytest.FixtureRequest, tmp_path: Path, executor: str
) -> None:
    store = tmp_path / "nats"
    binary = find_binary(os.environ)
    server = start_server(binary, store)
    port = int(server.url.rsplit(":", 1)[1])
    settings = {"executor": executor, "docker_network": "bridge", "docker_volume": DEPLOYMENT.volume}
    if executor == "docker":
        settings["docker_url"] = request.getfixturevalue("proxy")
    runner = LivingRunner(tmp_path / "home", server.url, name=OWNER, **settings)
    try:
        async with connect(Settings(nats_url=server.url), "test") as nc:
            await deploy(nc)
            log = JetStreamLog(nc, source="/fastflow/test/1")
            runner.start()
            long = await submit(nc, log, SCRIPT.format(lines=100, pause=0.08))
            short = await submit(nc, log, SCRIPT.format(lines=20, pause=0.05))
            await eventually(lambda: chunks_of(nc, long))
            await eventually(lambda: chunks_of(nc, short))
            for _ in range(3):
                kill(server)
                await asyncio.sleep(1.0)
                server = start_server(binary, store, port=port)
                await eventually(lambda: nc.is_connected)
                await asyncio.sleep(0.7)
            for run_id, lines in ((short, 20), (long, 100)):
                assert (await end_of(log, run_id)).outcome == "succeeded"
                await must_have_run_once(nc, run_id, lines)
            again = await submit(nc, log, SCRIPT.format(lines=1, pause=0))
            assert (await end_of(log, again)).outcome == "succeeded"
    finally:
        runner.stop()
        kill(server)
        shutil.rmtree(store, ignore_errors=True)


def kill(server: RunningServer) -> None:
    server.process.kill()
    server.process.communicate()

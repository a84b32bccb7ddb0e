"""The engine is stopped, killed, filled and robbed while runs go on: each run says what became of it."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from docker.models.containers import Container as Seen
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunStarted
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import heartbeat_of
from fastflow_events.testing.eventually import eventually
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_runner.testing.own_engine import NETWORK, OwnEngine, own_engine
from fastflow_runner.testing.socket_proxy import socket_proxy
from nats.aio.client import Client

pytestmark = [pytest.mark.nats, pytest.mark.docker, pytest.mark.xdist_group("own-engine")]
DEPLOYMENT = Deployment(installation=INSTALLATION, network=NETWORK)
COUNT = "import time\nfor n in range(80):\n    print(n, flush=True)\n    time.sleep(0.1)"
POLITE = "import time\nprint('polite', flush=True)\ntime.sleep(600)"
DEAF = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)"
TOLD = (
    "what runs the script was told to end (SIGTERM): the engine was shut down, somebody stopped it, or the script did"
)
KILLED = "it was killed (exit code 137), not for memory: from outside, or by a process of the script"
LET_GO = "the engine lost hold of the script (exit code 255), so nobody knows how far it came"


@pytest.fixture(scope="module")
def engine(engine: str) -> Generator[OwnEngine]:
    try:
        with own_engine(image=DEPLOYMENT.image, taken_from=engine) as own:
            yield own
    except FileNotFoundError as exc:
        pytest.skip(str(exc))


@pytest_asyncio.fixture
async def runner(nc: Client, nats_url: str, engine: OwnEngine, tmp_path: Path) -> AsyncGenerator[LivingRunner]:
    with socket_proxy(tmp_path, engine=engine.socket, deployment=DEPLOYMENT) as url:
        settings = {"executor": "docker", "docker_url": url, "docker_network": NETWORK, "standby": "1"}
        runner = LivingRunner(tmp_path / "home", nats_url, name=f"ends-{os.getpid()}", **settings)
        runner.start(retry_for_s="2")
        # One that finds no engine at its start ends at once: whoever supervises it starts it again, a test does not.
        await eventually(lambda: heartbeat_of(nc, runner.name), within_s=60)
        yield runner
        runner.stop()


async def said(log: JetStreamLog, run_id: str) -> tuple[str, int | None, str]:
    """Outcome, exit code and sentence at the end of a run."""
    [end] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=90)
    assert isinstance(end, RunAttemptFinished)
    return end.outcome, end.exit_code, end.detail


async def begun(nc: Client, log: JetStreamLog, script: str) -> str:
    """A run that has written something."""
    run_id = await submit(nc, log, script)
    await eventually(lambda: chunks_of(nc, run_id), within_s=60)
    return run_id


def container_of(engine: OwnEngine, run_id: str) -> Seen:
    """The run's container, as the engine describes it."""
    [container] = engine.containers(f"{DEPLOYMENT.names.prefix}{run_id}")
    return container


async def fine(nc: Client, log: JetStreamLog) -> bool:
    """True when a run succeeds now."""
    return await said(log, await submit(nc, log, "print('fine')")) == ("succeeded", 0, "")


async def test_runs_live_on_while_an_engine_with_live_restore_is_stopped_and_killed(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    await asyncio.to_thread(engine.stop)
    await asyncio.to_thread(engine.start, live_restore=True)
    run_id = await begun(nc, jetstream_log, COUNT)
    for number in (signal.SIGTERM, signal.SIGKILL):
        await asyncio.to_thread(engine.stop, number)
        await asyncio.to_thread(engine.start, live_restore=True)
        await asyncio.sleep(0.5)
    assert await said(jetstream_log, run_id) == ("succeeded", 0, "")
    assert text_of(await chunks_of(nc, run_id)) == "".join(f"{n}\n" for n in range(80))
    assert len(await facts_of(jetstream_log, run_id, RunStarted)) == 1


async def test_an_engine_without_live_restore_that_stops_or_is_killed_takes_its_runs_along(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    await asyncio.to_thread(engine.stop)
    await asyncio.to_thread(engine.start)
    deaf = await begun(nc, jetstream_log, DEAF)
    for number in (signal.SIGTERM, signal.SIGKILL):
        polite = await begun(nc, jetstream_log, POLITE)
        await asyncio.to_thread(engine.stop, number)
        await asyncio.to_thread(engine.start)
        assert await said(jetstream_log, polite) == ("infrastructure_error", 143, TOLD)
        assert text_of(await chunks_of(nc, polite)) == "polite\n"
    assert await said(jetstream_log, deaf) == ("infrastructure_error", 137, KILLED)
    assert await fine(nc, jetstream_log)


async def test_a_script_whose_keeper_is_killed_is_not_believed_to_have_ended_by_itself(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    run_id = await begun(nc, jetstream_log, POLITE)
    os.kill(engine.shim_of(str(container_of(engine, run_id).id)), signal.SIGKILL)
    assert await said(jetstream_log, run_id) == ("infrastructure_error", 137, KILLED)


async def test_a_script_whose_keeper_is_killed_while_the_engine_is_away_is_unknown_to_it_afterwards(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    await asyncio.to_thread(engine.stop)
    await asyncio.to_thread(engine.start, live_restore=True)
    run_id = await begun(nc, jetstream_log, POLITE)
    container = container_of(engine, run_id)
    keeper, script = engine.shim_of(str(container.id)), int(container.attrs["State"]["Pid"])
    await asyncio.to_thread(engine.stop)
    os.kill(keeper, signal.SIGKILL)
    await asyncio.to_thread(engine.start, live_restore=True)
    assert await said(jetstream_log, run_id) == ("infrastructure_error", 255, LET_GO)
    await eventually(lambda: not Path(f"/proc/{script}").exists(), within_s=30)


async def test_a_full_disk_of_the_engine_is_told_at_once_and_room_is_all_it_takes(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    assert await fine(nc, jetstream_log)
    hog = await asyncio.to_thread(engine.fill)
    try:
        async with asyncio.timeout(30):
            outcome, code, detail = await said(jetstream_log, await submit(nc, jetstream_log, "print('no room')"))
    finally:
        hog.unlink()
    assert (outcome, code) == ("infrastructure_error", None)
    assert detail.startswith("the engine's disk is full, so the script was not started; make room and run it again (")
    assert await fine(nc, jetstream_log)


async def test_no_script_is_started_into_the_last_of_a_disk(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    assert await fine(nc, jetstream_log)
    hog = await asyncio.to_thread(engine.fill)
    try:
        # The engine itself has room again, for containers and what they say.
        os.truncate(hog, hog.stat().st_size - (30 << 20))
        outcome, code, detail = await said(jetstream_log, await submit(nc, jetstream_log, "print('no room')"))
    finally:
        hog.unlink()
    assert (outcome, code) == ("infrastructure_error", None)
    assert detail.startswith("the engine's disk is full, so the script was not started; make room and run it again (")
    assert "51 MiB stay so" in detail
    assert await fine(nc, jetstream_log)


async def test_a_script_that_wants_the_whole_disk_gets_its_share(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    script = "import time\nfile = open('x', 'wb')\nfor _ in range(400): file.write(bytes(1 << 20))\ntime.sleep(600)"
    outcome, code, detail = await said(jetstream_log, await submit(nc, jetstream_log, script))
    assert (outcome, code) == ("out_of_disk", 137)
    assert detail.startswith("it wrote more to the disk than it may keep there (")
    assert await fine(nc, jetstream_log)


async def test_a_script_that_fills_the_disk_fails_and_is_told_of_it(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    script = "file = open('x', 'wb')\nwhile True: file.write(bytes(1 << 20))"
    run_id = await submit(nc, jetstream_log, script, limits=Limits(disk_bytes=0, pids=64))
    expected = "the script ended with exit code 1; no room was left on the disk of its folder"
    assert await said(jetstream_log, run_id) == ("failed", 1, expected)
    assert "No space left on device" in text_of(await chunks_of(nc, run_id), "stderr")
    assert await fine(nc, jetstream_log)


async def test_an_engine_that_is_away_is_asked_for_a_while_before_a_run_is_given_up(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    assert await fine(nc, jetstream_log)
    await asyncio.to_thread(engine.stop)
    try:
        outcome, code, detail = await said(jetstream_log, await submit(nc, jetstream_log, "print('nobody hears')"))
    finally:
        await asyncio.to_thread(engine.start)
    assert (outcome, code) == ("infrastructure_error", None)
    assert detail == (
        "the script was not started: the container engine does not answer: "
        "its socket proxy says 503 Service Unavailable"
    )
    assert await fine(nc, jetstream_log)


async def test_an_image_that_is_missing_is_told_at_once(
    engine: OwnEngine, runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    assert await fine(nc, jetstream_log)
    with engine.client() as client:
        image = client.images.get(DEPLOYMENT.image)
        image.tag("put-aside")
        client.images.remove(DEPLOYMENT.image, force=True)
        try:
            async with asyncio.timeout(30):
                end = await said(jetstream_log, await submit(nc, jetstream_log, "print('made of nothing')"))
        finally:
            client.images.get("put-aside").tag(DEPLOYMENT.image)
    expected = "the script was not started: No such image: fastflow-worker:latest; build or pull the worker image"
    assert end == ("infrastructure_error", None, expected)
    assert await fine(nc, jetstream_log)

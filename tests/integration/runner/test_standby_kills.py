"""kill -9 of the runner between every two steps of giving an attempt to a standby worker: it runs once, whatever."""

import asyncio
import itertools
import os
import random
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from docker import DockerClient
from docker.models.containers import Container as Seen
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunClaimed, RunStarted
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_runner.testing.socket_proxy import forget_tools
from nats.aio.client import Client

pytestmark = [pytest.mark.nats, pytest.mark.docker]
NAME = f"standby-kills-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{NAME}")
_NUMBERS = itertools.count(1)
LIMITS = Limits(memory_bytes=300 << 20, pids=77)
"""Not those a worker is made with, so that it has to be given them."""
STEPS = ["standby_chosen", "standby_renamed", "standby_updated", "order_sent"]
PHASES = ["environment", "launched", "started", "ended", "finished"]
SCRIPT = """
import os, time
token = os.urandom(4).hex()
for n in range(20):
    print(token, n, flush=True)
    time.sleep(0.05)
"""


@pytest_asyncio.fixture
async def runner(nc: Client, nats_url: str, proxy: str, engine: str, tmp_path: Path) -> AsyncGenerator[LivingRunner]:
    settings = {"executor": "docker", "docker_url": proxy, "docker_network": "bridge"}
    name = f"{NAME}-{next(_NUMBERS)}"  # of its own, so that what one test leaves is not found by the next
    runner = LivingRunner(
        tmp_path / "home", nats_url, name=name, docker_volume=DEPLOYMENT.volume, standby="2", **settings
    )
    yield runner
    runner.stop()
    forget_tools(engine, name, DEPLOYMENT.volume)


def ours(runner: LivingRunner, person: DockerClient) -> list[Seen]:
    found: list[Seen] = person.containers.list(
        all=True, filters={"label": f"fastflow.runner={runner.name}"}, ignore_removed=True
    )
    return found


def workers(runner: LivingRunner, person: DockerClient) -> list[Seen]:
    return [
        seen
        for seen in ours(runner, person)
        if (seen.name or "").startswith(f"{DEPLOYMENT.names.prefix}standby-") and seen.status == "running"
    ]


async def must_have_run_once(nc: Client, log: JetStreamLog, run_id: str) -> None:
    """Every line carries a token that user code makes at its start."""
    [end] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=90)
    assert isinstance(end, RunAttemptFinished)
    assert (end.outcome, end.output_lines) == ("succeeded", 20), (
        end.detail,
        text_of(await chunks_of(nc, run_id), "stderr"),
    )
    words = [line.split() for line in text_of(await chunks_of(nc, run_id)).splitlines()]
    assert len({token for token, _ in words}) == 1
    assert [int(n) for _, n in words] == list(range(20))
    for kind in (RunClaimed, RunStarted):
        assert len(await facts_of(log, run_id, kind)) == 1


async def nothing_is_left(runner: LivingRunner, person: DockerClient, run_id: str) -> None:
    """Once nothing happens there are the pool and its namespaces, and after the runner not even those."""

    async def tidy() -> bool:
        names = [seen.name for seen in ours(runner, person) if seen.status != "running"]
        return not names and not any(run_id in (seen.name or "") for seen in ours(runner, person))

    await eventually(tidy, within_s=60)
    assert runner.stop() == 0
    assert ours(runner, person) == []


@pytest.mark.parametrize("step", [*STEPS, *PHASES])
async def test_a_runner_killed_on_the_way_to_a_worker_executes_the_attempt_once(
    runner: LivingRunner, person: DockerClient, nc: Client, jetstream_log: JetStreamLog, step: str
) -> None:
    runner.start(crash_at=step)
    [waiting] = await eventually(lambda: workers(runner, person), within_s=30)
    run_id = await submit(nc, jetstream_log, SCRIPT, limits=LIMITS)
    assert await runner.ended() == -signal.SIGKILL
    if step in ("standby_renamed", "standby_updated", "order_sent"):
        names = {seen.id: seen.name for seen in ours(runner, person)}
        assert names[waiting.id] == f"{DEPLOYMENT.names.prefix}{run_id}-1"
    runner.start()
    await must_have_run_once(nc, jetstream_log, run_id)
    await nothing_is_left(runner, person, run_id)


async def test_runs_survive_a_runner_that_is_killed_at_random(
    runner: LivingRunner, person: DockerClient, nc: Client, jetstream_log: JetStreamLog
) -> None:
    random_bytes = random.Random(seed := random.randrange(1 << 32))
    runner.start()
    await eventually(lambda: workers(runner, person), within_s=30)
    run_ids: list[str] = []
    for _ in range(6):
        run_ids += [await submit(nc, jetstream_log, SCRIPT, limits=LIMITS) for _ in range(2)]
        await asyncio.sleep(random_bytes.uniform(0.05, 1.5))
        runner.kill()
        runner.start()
    try:
        for run_id in run_ids:
            await must_have_run_once(nc, jetstream_log, run_id)
    except AssertionError as error:
        error.add_note(f"seed {seed}")
        raise
    await nothing_is_left(runner, person, run_ids[-1])


async def test_a_killed_runner_leaves_nothing_that_goes_on_waiting(runner: LivingRunner, person: DockerClient) -> None:
    runner.start()
    [worker] = await eventually(lambda: workers(runner, person), within_s=30)
    runner.kill()
    assert worker.wait()["StatusCode"] == 125
    runner.start()

    async def swept() -> bool:
        return worker.id not in [seen.id for seen in ours(runner, person)] and bool(workers(runner, person))

    await eventually(swept, within_s=30)
    assert runner.stop() == 0
    assert ours(runner, person) == []

"""Many runs while their runner is killed at random: each runs once and ends, and no line of any is lost or doubled."""

import asyncio
import os
import random
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from docker import DockerClient
from fastflow_events import subjects
from fastflow_events.aggregates.run.events import RunAdopted, RunAttemptFinished, RunClaimed, RunStarted
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.engine_events import Heard, listening
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_runner.testing.socket_proxy import socket_proxy
from nats.aio.client import Client

pytestmark = [pytest.mark.nats, pytest.mark.docker]
RUNS, KILLS, SLOTS = 200, 20, 8
OWNER = f"twenty-kills-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{OWNER}")
WITHIN_S = 120.0
"""Longer than a share of the runs takes on a machine that is busy with other things."""
LINES = 12
ENDS = subjects.event("run", fact="attempt_finished", scope=subjects.ANY)
SCRIPT = f"""
import os, sys, time
token = os.urandom(4).hex()
for n in range({LINES}):
    os.write(1, f"{{token}} {{n}}\\n".encode())
    os.write(2, f"e {{n}}\\n".encode())
    time.sleep(0.02)
"""


@pytest_asyncio.fixture
async def runner(nats_url: str, engine: str, tmp_path: Path) -> AsyncGenerator[LivingRunner]:
    with socket_proxy(tmp_path, engine=engine, deployment=DEPLOYMENT) as url:
        settings = {"executor": "docker", "docker_url": url, "docker_network": "bridge", "standby": "4"}
        settings |= {"docker_volume": DEPLOYMENT.volume, "slots": str(SLOTS)}
        runner = LivingRunner(tmp_path / "home", nats_url, name=OWNER, **settings)
        yield runner
        runner.stop()


class Ends:
    """Which runs have ended, read on from where the last look ended."""

    def __init__(self, log: JetStreamLog) -> None:
        self._log = log
        self._seq = 0
        self.found: dict[str, list[RunAttemptFinished]] = {}

    async def reach(self, number: int) -> None:
        """Return once so many runs have ended."""

        async def reached() -> bool:
            return await self.count() >= number

        await eventually(reached, within_s=WITHIN_S)

    async def count(self) -> int:
        """How many runs have ended by now."""
        async for recorded in self._log.read(ENDS, after_seq=self._seq):
            self._seq = recorded.seq
            assert isinstance(recorded.fact, RunAttemptFinished)
            self.found.setdefault(recorded.id, []).append(recorded.fact)
        return len(self.found)


async def kill_at_random(runner: LivingRunner, ends: Ends, random_bytes: random.Random) -> None:
    """Every kill comes while runs are open: after a share of them has ended, and then some time more."""
    for nth in range(KILLS):
        await ends.reach(RUNS * nth // (KILLS + 1))
        await asyncio.sleep(random_bytes.uniform(0, 0.7))
        assert await ends.count() < RUNS
        runner.kill()
        runner.start()


async def must_have_run_once(nc: Client, log: JetStreamLog, run_id: str, end: RunAttemptFinished, heard: Heard) -> None:
    """Every line carries a token that user code makes at its start, and the engine saw one container complete it."""
    assert (end.outcome, end.output_lines) == ("succeeded", 2 * LINES), end.detail
    for kind in (RunClaimed, RunStarted):
        assert len(await facts_of(log, run_id, kind)) == 1
    chunks = await chunks_of(nc, run_id)
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    words = [line.split() for line in text_of(chunks).splitlines()]
    assert len({token for token, _ in words}) == 1
    assert [int(n) for _, n in words] == list(range(LINES))
    assert text_of(chunks, "stderr") == "".join(f"e {n}\n" for n in range(LINES))
    ends = [heard.exit_codes(container) for container in heard.bore(f"{DEPLOYMENT.names.prefix}{run_id}-1")]
    # 125: it waited for an order that never came, because the runner that would have given it died.
    assert [code for codes in ends for code in codes if code != 125] == [0], ends


@pytest.mark.timeout(600)
async def test_of_two_hundred_runs_whose_runner_is_killed_twenty_times_each_runs_once_and_is_complete(
    runner: LivingRunner, engine: str, nc: Client, jetstream_log: JetStreamLog
) -> None:
    random_bytes = random.Random(seed := random.randrange(1 << 32))
    ends = Ends(jetstream_log)
    with listening(engine, f"fastflow.runner={OWNER}") as heard:
        runner.start()
        run_ids = [await submit(nc, jetstream_log, SCRIPT) for _ in range(RUNS)]
        try:
            await kill_at_random(runner, ends, random_bytes)
            await ends.reach(RUNS)
            assert runner.stop() == 0
            adopted = 0
            for run_id in run_ids:
                [end] = ends.found[run_id]
                await must_have_run_once(nc, jetstream_log, run_id, end, heard)
                adopted += bool(await facts_of(jetstream_log, run_id, RunAdopted))
            assert adopted
            assert set(heard.times("start").values()) == {1}
            assert await eventually(lambda: left_over(engine) == [])
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise


def left_over(engine: str) -> list[str]:
    """Names of this runner's containers."""
    client = DockerClient(base_url=f"unix://{engine}")
    try:
        found = client.containers.list(all=True, filters={"label": f"fastflow.runner={OWNER}"}, ignore_removed=True)
        return [str(container.name) for container in found]
    finally:
        client.close()

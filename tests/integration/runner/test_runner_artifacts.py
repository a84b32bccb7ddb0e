"""What attempts leave behind and use, kept and told once, whoever is killed meanwhile; a runner as people start it."""

import os
from collections import Counter
from collections.abc import AsyncGenerator
from hashlib import sha256
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import (
    RunAdopted,
    RunArtifactStored,
    RunAttemptFinished,
    RunSoftLimitExceeded,
)
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.execute import execute
from fastflow_events.nats import topology
from fastflow_events.nats.artifacts import Artifact, find_artifact, read_artifact
from fastflow_events.nats.direct_get import Stored, get_all
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Cause
from fastflow_events.testing.eventually import eventually
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from nats.aio.client import Client

pytestmark = pytest.mark.nats

DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-artifacts-{os.getpid()}")
OWNER = f"artifacts-{os.getpid()}"
WITHIN_S = 90.0
FILES = 60
LEAVE = f"""
import os, pathlib
folder = pathlib.Path(os.environ["FASTFLOW_ARTIFACTS_DIR"])
for n in range({FILES}):
    (folder / f"{{n:03}}").write_bytes(bytes([n]) * 300_000)
(folder / "large").write_bytes(bytes(2_000_000))
(folder / f"{{os.environ['TOKEN']}}.txt").write_text("named like a secret")
pathlib.Path(os.environ["FASTFLOW_RESULT_FILE"]).write_text("no JSON")
"""
USE = """
import time
block = bytearray(b"x") * (40 << 20)
while True: sum(range(200_000))
"""


@pytest_asyncio.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
async def runner(
    request: pytest.FixtureRequest, nc: Client, nats_url: str, tmp_path: Path
) -> AsyncGenerator[LivingRunner]:
    settings = {"executor": request.param, "max_artifact_bytes": "1000000", "standby": "0"}
    if request.param == "docker":
        url = request.getfixturevalue("proxy")
        settings |= {"docker_url": url, "docker_network": "bridge", "docker_volume": DEPLOYMENT.volume}
    runner = LivingRunner(tmp_path / "home", nats_url, name=OWNER, **settings)
    yield runner
    runner.stop()


async def artifacts_of(log: JetStreamLog, run_id: str) -> list[RunArtifactStored]:
    return [fact for fact in await facts_of(log, run_id, RunArtifactStored) if isinstance(fact, RunArtifactStored)]


async def test_artifacts_survive_a_runner_killed_while_it_collects_and_are_told_once(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, LEAVE, env={"TOKEN": "public"})
    await eventually(lambda: artifacts_of(jetstream_log, run_id), within_s=WITHIN_S)
    runner.kill()
    before = await artifacts_of(jetstream_log, run_id)
    runner.start()
    await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=WITHIN_S)

    assert 0 < len(before) <= FILES
    facts = await artifacts_of(jetstream_log, run_id)
    assert Counter(fact.path for fact in facts) == Counter([*(f"{n:03}" for n in range(FILES)), "public.txt"])
    for fact in facts:
        content = await find_artifact(nc, Artifact(run_id=run_id, attempt=1, path=fact.path), fact.sha256)
        assert content is not None
        data = b"".join([piece async for piece in read_artifact(nc, content)])
        expected = b"named like a secret" if fact.path == "public.txt" else bytes([int(fact.path)]) * 300_000
        assert (data, fact.size_bytes, fact.sha256) == (expected, len(expected), sha256(expected).hexdigest())
    large, result = text_of(await chunks_of(nc, run_id), "stderr").splitlines()
    assert large == "fast-flow: not kept: large: it has 2000000 bytes, and one may have 1000000"
    assert result.startswith("fast-flow: the result is not kept: it is no JSON object")


async def test_a_soft_limit_is_told_once_also_when_the_runner_is_restarted(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    async def samples(more_than: int) -> list[Stored]:
        found = [
            stored async for stored in get_all(nc, topology.SAMPLES, subject=subjects.sample(run_id, 1, subjects.ANY))
        ]
        return found if len(found) > more_than else []

    runner.start()
    limits = Limits(memory_bytes=512 << 20, pids=64, soft_memory_bytes=20 << 20, soft_cpus=0.01)
    run_id = await submit(nc, jetstream_log, USE, limits=limits)
    await eventually(lambda: facts_of(jetstream_log, run_id, RunSoftLimitExceeded), within_s=WITHIN_S)
    runner.kill()
    count = len(await samples(0))
    runner.start()
    await eventually(lambda: facts_of(jetstream_log, run_id, RunAdopted), within_s=WITHIN_S)
    await eventually(lambda: samples(count + 1), within_s=WITHIN_S)
    await execute(jetstream_log, run_decider, run_id, RequestCancel(who="ann"), cause=Cause(correlation_id="test"))
    [end] = await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=WITHIN_S)

    facts = await facts_of(jetstream_log, run_id, RunSoftLimitExceeded)
    assert sorted(fact.kind for fact in facts if isinstance(fact, RunSoftLimitExceeded)) == ["cpus", "memory_bytes"]
    assert isinstance(end, RunAttemptFinished)
    assert end.peak_memory_bytes is not None
    assert end.peak_memory_bytes > 40 << 20
    assert end.peak_cpus is not None
    assert end.peak_cpus > 0.01


async def test_a_full_store_is_told_and_the_outcome_stays(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    js = nc.jetstream()
    config = (await js.stream_info(topology.ARTIFACTS)).config
    config.max_bytes = 500_000
    await js.update_stream(config)
    runner.start()
    run_id = await submit(nc, jetstream_log, LEAVE, env={"TOKEN": "public"})
    [end] = await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=WITHIN_S)
    assert isinstance(end, RunAttemptFinished)
    assert end.outcome == "succeeded"
    assert "artifacts could not be stored" in end.detail
    assert "full" in end.detail
    assert len(await artifacts_of(jetstream_log, run_id)) < FILES

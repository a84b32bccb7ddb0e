"""The runner as it is shipped, with containers: what it believes of the volume, and what is true."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from docker import DockerClient
from docker.types import Mount
from fastflow_events.aggregates.run.events import RunAttemptFinished
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_runner.testing.socket_proxy import forget_tools, socket_proxy
from nats.aio.client import Client

pytestmark = [pytest.mark.docker, pytest.mark.nats]
OWNER = f"test-volume-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-volume-{os.getpid()}")


@pytest_asyncio.fixture
async def runner(engine: str, nats_url: str, tmp_path: Path) -> AsyncIterator[LivingRunner]:
    with socket_proxy(tmp_path, engine=engine, deployment=DEPLOYMENT) as url:
        runner = LivingRunner(
            tmp_path / "home",
            nats_url,
            name=OWNER,
            executor="docker",
            docker_url=url,
            docker_network=DEPLOYMENT.network,
            docker_volume=DEPLOYMENT.volume,
            standby="0",
        )
        yield runner
        runner.stop()
    forget_tools(engine, OWNER, DEPLOYMENT.volume)


async def test_what_disappeared_from_the_volume_is_made_again(
    runner: LivingRunner, engine: str, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()

    async def outcome() -> str:
        script = "import idna\nprint(idna.__version__)\n"
        run_id = await submit(nc, jetstream_log, script, requirements="idna==3.10\n")
        [end] = await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=90)
        assert isinstance(end, RunAttemptFinished)
        return f"{end.outcome} {end.detail}".strip()

    assert await outcome() == "succeeded"
    client = DockerClient(base_url=f"unix://{engine}")
    try:
        client.containers.run(
            DEPLOYMENT.image,
            ["-c", "rm -rf /uv/code/* /uv/envs"],
            entrypoint="sh",
            mounts=[Mount("/uv", DEPLOYMENT.volume)],
            remove=True,
            user="0",
        )
    finally:
        client.close()
    assert await outcome() == "succeeded"
    assert "volume_changed" in runner.log_text()


async def test_a_run_that_may_use_more_processors_than_there_are_says_so(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, "print('mine')", limits=Limits(cpus=4096.0))
    [end] = await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=90)
    assert isinstance(end, RunAttemptFinished)
    assert end.outcome == "succeeded"
    chunks = await chunks_of(nc, run_id)
    assert text_of(chunks, "stderr").startswith("fast-flow: the limit is 4096 processors, and the machine has ")
    assert text_of(chunks) == "mine\n"

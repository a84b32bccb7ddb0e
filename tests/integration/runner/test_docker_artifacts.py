import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from fastflow_events.aggregates.run.specification import Limits
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.usage import Usage
from fastflow_runner.testing.artifacts_contract import LeavingContract
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.executor_contract import ExecutorContract, eventually

pytestmark = pytest.mark.docker
OWNER = f"leaving-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-leaving-{os.getpid()}")


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", grace_s=1.0)
    yield executor
    executor.close()


class TestDockerLeaving(LeavingContract):
    pass


TALK = """
import socket, time
def talk():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        for _ in range(200): peer.sendto(b"x" * 1000, ("192.0.2.1", 9))
print("on", flush=True)
time.sleep(2.5)
talk()
time.sleep(2.5)
"""


@pytest.mark.parametrize("standby", [0, 1])
async def test_network_traffic_is_counted_with_and_without_a_network_of_its_own(proxy: str, standby: int) -> None:
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", standby=standby)
    keeping = asyncio.create_task(executor.keep())
    try:

        async def ready() -> bool:
            return executor.waiting == standby

        await eventually(ready, within_s=30)
        launch = await ExecutorContract().a_launch(executor, TALK)
        await executor.launch(launch)
        usages: list[Usage] = [usage async for usage in executor.usages(launch.ref)]
        end = await executor.wait(launch.ref, launch.nonce)
        await executor.remove(launch.ref)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        executor.close()
    assert usages[0].sent_bytes is not None
    assert usages[0].sent_bytes < 10_000
    assert usages[-1].sent_bytes is not None
    assert 200_000 < usages[-1].sent_bytes < 250_000
    assert end.transmitted_bytes is not None
    assert 200_000 < end.transmitted_bytes < 250_000


async def test_the_page_cache_is_not_counted_as_memory(executor: DockerExecutor) -> None:
    script = """
import os, time
with open("/app/big", "wb") as file:
    for _ in range(200): file.write(bytes(1 << 20))
    os.fsync(file.fileno())
print("on", flush=True)
time.sleep(60)
"""
    launch = await ExecutorContract().a_launch(executor, script, limits=Limits(memory_bytes=1 << 30, pids=64))
    await executor.launch(launch)
    async for frame in executor.frames(launch.ref, skip=0, follow=True):
        assert frame.data == b"on\n"
        break
    async for usage in executor.usages(launch.ref):
        assert usage.memory_bytes < 100 << 20
        break
    await executor.remove(launch.ref)

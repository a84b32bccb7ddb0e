import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.engine_events import listening
from fastflow_runner.testing.executor_contract import WITHIN_S, eventually, read_all
from fastflow_runner.testing.order_contract import OrderContract

pytestmark = pytest.mark.docker
OWNER = f"test-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-test-{os.getpid()}")


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", grace_s=1.0)
    yield executor
    executor.close()


class TestDockerExecutor(OrderContract):
    async def test_a_success_that_the_output_has_told_is_not_read_out_of_the_container(
        self, executor: DockerExecutor, engine: str
    ) -> None:
        launch = await self.a_launch(executor, "print('hello')")
        with listening(engine, f"fastflow.runner={OWNER}") as heard:

            async def is_gone() -> bool:
                return bool(heard.times("destroy"))

            async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
                await executor.launch(launch)
                tasks.create_task(read_all(executor, launch))
                await asyncio.sleep(0)  # it follows
                end = await executor.wait(launch.ref, launch.nonce)
                await executor.remove(launch.ref)
                await eventually(is_gone)
        assert end.marker_code == 0
        assert not heard.times("archive-path")

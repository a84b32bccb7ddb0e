import os
from collections.abc import AsyncIterator

import pytest
from fastflow_runner.adapters.docker import DockerExecutor
from fastflow_runner.container_spec import Deployment
from fastflow_runner.testing.turns_contract import TurnsContract

pytestmark = pytest.mark.docker
OWNER = f"test-{os.getpid()}"
DEPLOYMENT = Deployment(network="bridge", volume=f"fastflow-uv-test-{os.getpid()}")


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", grace_s=1.0)
    yield executor
    executor.close()


class TestDockerExecutor(TurnsContract):
    pass

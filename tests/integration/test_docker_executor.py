import os
from collections.abc import AsyncIterator, Iterator

import pytest
from fastflow_runner.adapters.docker import DockerExecutor
from fastflow_runner.container_spec import Deployment
from fastflow_runner.testing.executor_contract import ExecutorContract
from fastflow_runner.testing.socket_proxy import forget_tools, socket_proxy

pytestmark = pytest.mark.docker
OWNER = f"test-{os.getpid()}"
DEPLOYMENT = Deployment(network="bridge", volume=f"fastflow-uv-test-{os.getpid()}")


@pytest.fixture(scope="module")
def proxy(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket_proxy(tmp_path_factory.mktemp("proxy"), engine=engine, deployment=DEPLOYMENT) as url:
        yield url
    forget_tools(engine, OWNER, DEPLOYMENT.volume)


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", grace_s=1.0)
    yield executor
    executor.close()


class TestDockerExecutor(ExecutorContract):
    pass

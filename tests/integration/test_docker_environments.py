import os
from collections.abc import AsyncIterator, Iterator

import pytest
from fastflow_runner.adapters.docker import DockerExecutor
from fastflow_runner.container_spec import Deployment
from fastflow_runner.testing.environment_contract import EnvironmentContract
from fastflow_runner.testing.socket_proxy import engine_socket, forget_tools, socket_proxy

pytestmark = pytest.mark.docker
OWNER = f"test-env-{os.getpid()}"
DEPLOYMENT = Deployment(network="bridge", volume=f"fastflow-uv-env-{os.getpid()}")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    engine = engine_socket()
    if engine is None:
        pytest.skip("no Docker engine answers; type: make docker")
    with socket_proxy(tmp_path_factory.mktemp("proxy"), engine=engine, deployment=DEPLOYMENT) as url:
        yield url
    forget_tools(engine, OWNER, DEPLOYMENT.volume)


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", grace_s=1.0)
    yield executor
    executor.close()


class TestDockerEnvironments(EnvironmentContract):
    pass

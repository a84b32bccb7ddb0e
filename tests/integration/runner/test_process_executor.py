import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_rules.definition.reaching import Network
from fastflow_runner.adapters.process.executor import ProcessExecutor
from fastflow_runner.ports import NotClosedError
from fastflow_runner.testing.builders import a_launch, a_specification, bundle_of
from fastflow_runner.testing.order_contract import OrderContract
from fastflow_runner.testing.tools import find_uv
from msgspec import structs

UNHELD = "its network is limited, and processes cannot be: its pool needs the Docker executor"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("process-executor")


@pytest.fixture
def executor(root: Path) -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(root, uv=find_uv(), key=b"key", variables=os.environ, grace_s=1.0)
    yield executor
    executor.close()


class TestProcessExecutor(OrderContract):
    pass


@pytest.mark.parametrize("network", ["none", ("10.0.0.5/32:5432",)])
async def test_a_process_whose_network_is_limited_is_not_started(executor: ProcessExecutor, network: Network) -> None:
    tree, bundle = bundle_of({"main.py": "print('started')"})
    await executor.stage_code(tree, bundle)
    specification = structs.replace(a_specification(tree), network=network)
    launch = a_launch(specification, await executor.prepare(specification, None))
    with pytest.raises(NotClosedError, match=UNHELD):
        await executor.launch(launch)
    assert await executor.started(launch.ref) is None
    assert [found.ref for found in await executor.found()] == []

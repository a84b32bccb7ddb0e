import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_runner.adapters.process import ProcessExecutor
from fastflow_runner.testing.tools import find_uv
from fastflow_runner.testing.turns_contract import TurnsContract


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("process-executor")


@pytest.fixture
def executor(root: Path) -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(root, uv=find_uv(), key=b"key", variables=os.environ, grace_s=1.0)
    yield executor
    executor.close()


class TestProcessExecutor(TurnsContract):
    pass

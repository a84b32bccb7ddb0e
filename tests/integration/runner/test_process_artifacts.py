import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_runner.adapters.process.executor import ProcessExecutor
from fastflow_runner.testing.artifacts_contract import LeavingContract
from fastflow_runner.testing.tools import find_uv


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(tmp_path, uv=find_uv(), key=b"key", variables=os.environ, grace_s=1.0)
    yield executor
    executor.close()


class TestProcessLeaving(LeavingContract):
    pass

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_events.testing.eventually import eventually
from fastflow_runner.adapters.process.executor import ProcessExecutor
from fastflow_runner.testing.environment_contract import EnvironmentContract
from fastflow_runner.testing.interpreters import copy_into
from fastflow_runner.testing.tools import find_uv

# What one test prepares the next ones use.
pytestmark = pytest.mark.xdist_group("process-environments")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("process-environments")


@pytest.fixture
def other(root: Path) -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(root, uv=find_uv(), key=b"key", variables=os.environ, grace_s=1.0)
    yield executor
    executor.close()


@pytest.fixture
def executor(root: Path) -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(root, uv=find_uv(), key=b"key", variables=os.environ, grace_s=1.0)
    yield executor
    executor.close()


class TestProcessEnvironments(EnvironmentContract):
    @pytest.fixture(autouse=True)
    def _root(self, root: Path) -> None:
        self.root = root

    @pytest.fixture(autouse=True)
    def _closing(self) -> Iterator[None]:
        self.opened: list[ProcessExecutor] = []
        yield
        for executor in self.opened:
            executor.close()

    def with_settings(self, uv_settings: dict[str, str]) -> ProcessExecutor:
        key, variables = b"key", os.environ
        self.opened.append(
            ProcessExecutor(self.root, uv=find_uv(), key=key, variables=variables, uv_settings=uv_settings)
        )
        return self.opened[-1]

    async def traces(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.root.rglob("*") if path.is_file() and _is_small(path))

    def shared(self) -> str:
        return str(self.root / "uv")

    async def marks(self) -> list[str]:
        return [path.name for path in (self.root / "uv").glob("executed-*")]

    def codes(self) -> str:
        return str(self.root / "code")

    async def as_root(self, script: str) -> str:
        command = [sys.executable, "-c", f"import os, pathlib\n{script}"]
        done = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, text=True)
        return done.stdout

    async def bring(self, source: Path, folder: Path) -> None:
        copy_into(source, self.root / "uv/python", b"key")

    async def kill_in_the_middle(self) -> None:
        async def building() -> list[int]:
            half = [path for path in (self.root / "uv/envs").glob("*.*") if any(path.glob("lib/*/site-packages/numpy"))]
            return [pid for pid in _children(os.getpid()) if half and b"prepare" in _arguments(pid)]

        for pid in await eventually(building, within_s=100):
            os.kill(pid, signal.SIGKILL)


def _is_small(path: Path) -> bool:
    return path.stat().st_size < 1 << 20


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _arguments(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")

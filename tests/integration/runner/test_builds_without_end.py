import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from docker import DockerClient
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.adapters.process.executor import ProcessExecutor
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.ports import DependencyError
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.deadline_contract import WITHIN_S, DeadlineContract, with_a_build
from fastflow_runner.testing.tools import find_uv

OWNER = f"deadline-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{OWNER}")

WHEELS_BYTES = 16 << 20


@pytest.mark.docker
class TestBuildsInContainers(DeadlineContract):
    @pytest.fixture
    async def executor(self, proxy: str, person: DockerClient) -> AsyncIterator[DockerExecutor]:
        self.engine = person
        executor = DockerExecutor(
            proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", grace_s=1.0, wheels_bytes=WHEELS_BYTES
        )
        yield executor
        executor.close()

    async def builds(self) -> int:
        return len(await asyncio.to_thread(self._running))

    def _running(self) -> list[str]:
        tools = self.engine.containers.list(filters={"label": f"fastflow.tool={OWNER}"}, ignore_removed=True)
        names = [tool.name or "" for tool in tools]
        return [name for name in names if name.startswith(f"{DEPLOYMENT.names.prefix}build-")]

    async def test_wheels_that_are_too_large_are_not_taken(self, executor: DockerExecutor) -> None:
        specification = await with_a_build(
            executor,
            "import glob\nplace = glob.glob('/app/cache/sdists-v*')[0]\n"
            "with open(f'{place}/huge-1-py3-none-any.whl', 'wb') as file: file.truncate(64 << 20)",
        )
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(DependencyError, match="what was built is larger than 16777216 bytes"):
                await executor.prepare(specification, None)

    async def test_what_is_built_is_handed_on_in_pieces(self, executor: DockerExecutor) -> None:
        specification = await with_a_build(executor, "pass")
        async with asyncio.timeout(WITHIN_S):
            assert (await executor.prepare(specification, None)).prepare_s > 0


class TestBuildsInProcesses(DeadlineContract):
    @pytest.fixture
    def executor(self, tmp_path: Path) -> Iterator[ProcessExecutor]:
        executor = ProcessExecutor(tmp_path, uv=find_uv(), key=b"key", variables=os.environ, grace_s=1.0)
        yield executor
        executor.close()

    async def builds(self) -> int:
        children = [pid for each in Path("/proc/self/task").glob("*/children") for pid in each.read_text().split()]
        return sum(map(_is_build, children))

    async def test_what_is_built_is_handed_on_in_pieces(self, executor: ProcessExecutor) -> None:
        specification = await with_a_build(executor, "pass")
        async with asyncio.timeout(WITHIN_S):
            assert (await executor.prepare(specification, None)).prepare_s > 0


def _is_build(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"/entry\0build\0")
    except OSError:
        return False

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.testing.eventually import eventually
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import RUN_UID, Deployment
from fastflow_runner.core.outcome import of_exit
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.notebook_contract import NotebookContract

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker-notebooks")]
KEY = b"key"
OWNER = f"test-nb-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-nb-{os.getpid()}")


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=KEY)
    yield executor
    executor.close()


class TestDockerNotebooks(NotebookContract):
    async def test_a_cell_that_needs_too_much_memory_is_named(self, executor: DockerExecutor) -> None:
        limits = Limits(memory_bytes=256 << 20, pids=200)
        ran = await self.run(executor, "print('small')", "x = bytearray(1 << 30)", limits=limits)
        ending = of_exit(ran.end, memory_bytes=limits.memory_bytes)
        assert (ending.outcome, ran.end.oom_killed) == ("out_of_memory", True)
        assert ending.detail == "it needed more memory than it may use (256 MiB), in cell 2 of 2"
        assert ran.text(1) == "small\n"
        assert "the kernel was killed by signal 9 (SIGKILL) in cell 2 of 2" in ran.err

    async def test_a_home_that_cannot_be_written_keeps_no_kernel_from_starting(self, executor: DockerExecutor) -> None:
        show = "import os, sys\nprint(os.getuid(), os.access(os.path.dirname(sys.executable), os.W_OK))"
        ran = await self.run(executor, show, env={"HOME": "/nonexistent"})
        assert (ran.end.marker_code, ran.text(1)) == (0, f"{RUN_UID} False\n"), ran.err

    async def test_a_worker_that_waits_takes_a_notebook_too(self, proxy: str) -> None:
        executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=KEY, standby=1)
        keeping = asyncio.create_task(executor.keep())
        try:
            await eventually(lambda: _true(executor.waiting == 1), within_s=60)
            ran = await self.run(executor, "print('on')")
            assert (ran.end.marker_code, ran.text(1)) == (0, "on\n"), ran.err
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            executor.close()


async def _true(found: bool) -> bool:
    return found

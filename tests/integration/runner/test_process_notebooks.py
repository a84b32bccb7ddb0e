import os
import re
from collections.abc import Iterator
from pathlib import Path

import fastflow_runner
import pytest
from fastflow_events.aggregates.run.specification import Cell
from fastflow_runner.adapters.process.executor import ProcessExecutor
from fastflow_runner.testing.notebook_contract import CAREFUL, NotebookContract
from fastflow_runner.testing.tools import find_uv

# What one test prepares the next ones use.
pytestmark = pytest.mark.xdist_group("process-notebooks")

BORN_DEAD = f"""
import asyncio, os, subprocess, sys
sys.path.insert(0, {str(Path(fastflow_runner.__file__).parents[1])!r})
from fastflow_runner.entry.notebook.kernel import Kernel
from jupyter_client.provisioning import LocalProvisioner

async def start(**_):
    # What is left when SIGTERM comes between a fork and the session of its own.
    dead = LocalProvisioner()
    dead.process = subprocess.Popen(["sleep", "60"])
    dead.pgid = os.getpgid(dead.process.pid)
    kernel.manager.provisioner = dead
    raise asyncio.CancelledError

async def main():
    try:
        await kernel.start(start)
    except asyncio.CancelledError:
        await kernel.end(now=True)

kernel = Kernel(".")
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("process-notebooks")


@pytest.fixture
def executor(root: Path) -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(root, uv=find_uv(), key=b"key", variables=os.environ)
    yield executor
    executor.close()


class TestProcessNotebooks(NotebookContract):
    async def test_a_notebook_of_one_cell_is_executed(self, executor: ProcessExecutor) -> None:
        ran = await self.run(
            executor, "import os\nopen(os.environ['FASTFLOW_RESULT_FILE'], 'w').write('{\"rows\": 3}')"
        )
        assert (ran.end.marker_code, ran.end.result) == (0, '{"rows": 3}')

    async def test_a_cell_is_tried_as_often_as_it_says_itself_or_the_pipeline_says(
        self, executor: ProcessExecutor
    ) -> None:
        unlucky = "n = globals().get('n', 0) + 1\nprint('try', n)\nif n < 3: raise ValueError(f'no\\nluck {n}')"
        own = {"fastflow": {"retries": 2}}
        settings = (Cell(retries=9, delay_s=60), Cell(retries=7, delay_s=0.1))
        ran = await self.run(executor, "print('first')", (unlucky, own), "print('last')", cells=settings)
        assert ran.end.marker_code == 0
        assert ran.end.notebook is not None
        assert [(end.cell, end.tries) for end in ran.end.notebook.cells] == [(1, 1), (2, 3), (3, 1)]
        assert "fast-flow: cell 2 of 3, try 2 of 3\n" in ran.out
        assert re.search(r"cell 2 of 3, try 1 of 3: failed after \d+\.\d s: ValueError: no; again in 0.1 s\n", ran.err)
        errors = [output["evalue"] for output in ran.outputs(2) if output["output_type"] == "error"]
        assert errors == ["no\nluck 1", "no\nluck 2"]
        assert re.findall("try \\d\n", ran.text(2)) == ["try 1\n", "try 2\n", "try 3\n"]

    async def test_a_notebook_may_end_itself(self, executor: ProcessExecutor) -> None:
        ran = await self.run(executor, "import sys\nsys.exit()", "print('never')")
        assert (ran.end.marker_code, "never" in ran.out) == (0, False)
        ran = await self.run(executor, "exit()", "print('never')")
        assert (ran.end.marker_code, "never" in ran.out) == (0, False)
        ran = await self.run(executor, "import sys\nsys.exit(4)", "print('never')")
        assert (ran.end.marker_code, "never" in ran.out) == (4, False)
        assert ran.end.notebook is not None
        assert ran.end.notebook.why == "cell 1 of 2 ended the notebook with exit code 4"

    async def test_a_notebook_whose_time_is_over_ends_even_before_its_first_cell(
        self, executor: ProcessExecutor
    ) -> None:
        ran = await self.run(executor, CAREFUL, timeout_s=1.0)
        assert (ran.end.timed_out, ran.end.signal) == (True, 15)

    async def test_a_kernel_that_was_killed_before_it_had_a_group_takes_nobody_with_it(
        self, executor: ProcessExecutor
    ) -> None:
        # In a group of its own, so that at worst it kills itself.
        cell = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BORN_DEAD!r}], start_new_session=True)"
        ran = await self.run(executor, f"{cell}.returncode")
        assert [output["data"]["text/plain"] for output in ran.outputs(1)] == [["0"]], ran.err

    async def test_values_of_secrets_are_not_in_the_executed_notebook(self, executor: ProcessExecutor) -> None:
        show = "import os\nprint(os.environ['TOKEN'], os.environ['REGION'])\nos.environ['TOKEN'].encode()"
        env = {"TOKEN": "hunter2secret", "REGION": "north-west"}
        ran = await self.run(executor, show, env=env, secrets={"TOKEN": 1})
        assert (ran.text(1), ran.outputs(1)[1]["data"]["text/plain"]) == ("*** north-west\n", ["b'***'"])
        assert "hunter2secret" in ran.out  # what leaves the runner is masked there

    async def test_what_is_no_notebook_is_told_in_a_sentence(self, executor: ProcessExecutor) -> None:
        ran = await self.run(executor, files={"main.ipynb": "{"})
        assert ran.end.marker_code == 1
        assert ran.end.notebook is not None
        assert ran.end.notebook.why.startswith("main.ipynb is no notebook: ")
        assert ran.err == f"fast-flow: {ran.end.notebook.why}\n"

    async def test_a_notebook_that_installs_for_itself_has_what_it_needs(self, executor: ProcessExecutor) -> None:
        ran = await self.run(executor, "import sys\nprint(sys.version_info[:2])", isolation="jit")
        assert (ran.end.marker_code, ran.text(1)) == (0, f"{(3, 11)}\n"), ran.err

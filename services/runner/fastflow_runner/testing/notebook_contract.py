# ruff: noqa: D102 - the names of tests are sentences
"""What notebooks are on every executor: one class of tests, inherited by the tests of each."""

import asyncio
import re
from typing import Any, NamedTuple

from fastflow_events.aggregates.run.specification import Cell, Limits
from msgspec import json, structs

from fastflow_runner.core.program import EXECUTED
from fastflow_runner.ports import CellEnd, Executor, Exit, Launch
from fastflow_runner.testing.builders import a_launch, a_specification, bundle_of, notebook_of
from fastflow_runner.testing.executor_contract import read_all
from fastflow_runner.testing.patient import patiently

WITHIN_S = 120.0
PIDS = Limits(pids=200)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SHOW = f"import base64\nfrom IPython.display import Image, display\nfor _ in range(2): display(Image(data=base64.b64decode('{PIXEL}')))\n"  # noqa: E501
CAREFUL = "import time\nprint('on', flush=True)\ntry: time.sleep(600)\nfinally: print('cleaned up')"


class Ran(NamedTuple):
    """What is left of a notebook."""

    out: str
    err: str
    end: Exit
    executed: dict[str, Any]

    def outputs(self, number: int) -> list[dict[str, Any]]:
        """Of a code cell, counting from 1."""
        cells = [cell for cell in self.executed["cells"] if cell["cell_type"] == "code"]
        found: list[dict[str, Any]] = cells[number - 1]["outputs"]
        return found

    def text(self, number: int) -> str:
        """What the executed notebook shows of what a cell printed."""
        return "".join("".join(output["text"]) for output in self.outputs(number) if output["output_type"] == "stream")


class NotebookContract:
    """Needs a fixture `executor`."""

    async def launched(
        self, executor: Executor, *cells: Any, files: Any = None, env: Any = None, **needs: Any
    ) -> Launch:
        tree, bundle = bundle_of({"main.ipynb": notebook_of(*cells, markdown="# Text"), **(files or {})})
        await executor.stage_code(tree, bundle)
        needs = {"limits": PIDS, "cells": (), **needs}
        special = {name: needs.pop(name) for name in ("secrets", "isolation") if name in needs}
        specification = structs.replace(a_specification(tree, **needs), **special)
        launch = a_launch(specification, await patiently(executor, specification), env=env)
        await executor.launch(launch)
        return launch

    async def ended(self, executor: Executor, launch: Launch) -> Ran:
        async with asyncio.timeout(WITHIN_S):
            out, err = await read_all(executor, launch)
            end = await executor.wait(launch.ref, launch.nonce)
        numbers = [number for number, (path, _) in enumerate(end.kept) if path == EXECUTED]
        kept = b"".join([data async for number, data in executor.kept(launch.ref) if number in numbers])
        await executor.remove(launch.ref)
        return Ran(out.decode(), err.decode(), end, json.decode(kept or b"{}"))

    async def run(self, executor: Executor, *cells: Any, **needs: Any) -> Ran:
        return await self.ended(executor, await self.launched(executor, *cells, **needs))

    async def test_every_cell_is_executed_in_the_folder_of_the_code(self, executor: Executor) -> None:
        program = (
            "import subprocess\nsubprocess.run(['sh', '-c', 'echo from a program'], check=True)\n!echo from a shell"
        )
        cells = ("import os, sibling\nprint(sibling.NAME, os.environ['REGION'])", "1 + 1", program, SHOW)
        ran = await self.run(executor, *cells, files={"sibling.py": "NAME = 'beside'"}, env={"REGION": "north"})
        assert (ran.err, ran.end.marker_code) == ("", 0)
        lines = re.sub(r"done in \d+\.\d s", "done", ran.out).splitlines()
        picture = f"fast-flow: image/png, {len(PIXEL)} characters, is in the executed notebook"
        assert [line for line in lines if line != picture and "Image object" not in line] == [
            *("fast-flow: cell 1 of 4", "beside north", "fast-flow: cell 1 of 4: done"),
            *("fast-flow: cell 2 of 4", "2", "fast-flow: cell 2 of 4: done"),
            *("fast-flow: cell 3 of 4", "from a program", "from a shell", "fast-flow: cell 3 of 4: done"),
            *("fast-flow: cell 4 of 4", "fast-flow: cell 4 of 4: done"),
        ]
        assert lines.count(picture) == 2
        assert [output["data"]["image/png"].strip() for output in ran.outputs(4)] == [PIXEL, PIXEL]
        assert ran.outputs(2)[0]["data"]["text/plain"] == ["2"]
        assert ran.end.notebook is not None
        assert ran.end.notebook.cells[-1] == CellEnd(cell=4, succeeded=True, tries=1)
        assert (ran.end.notebook.where, ran.end.notebook.why) == ("", "")

    async def test_a_cell_that_fails_ends_the_notebook_and_shows_where(self, executor: Executor) -> None:
        ran = await self.run(
            executor, "print('before')\n1 / 0", "print('never')", cells=(Cell(retries=1, delay_s=0.0),)
        )
        assert (ran.end.marker_code, ran.end.signal) == (1, None)
        assert "never" not in ran.out
        assert "----> 2 1 / 0\n" in ran.err
        assert "\x1b" not in ran.err
        assert ran.end.notebook is not None
        assert ran.end.notebook.cells == (CellEnd(cell=1, succeeded=False, tries=2),)
        assert ran.end.notebook.why == "cell 1 of 2, try 2 of 2 failed: ZeroDivisionError: division by zero"
        assert ran.text(1).count("before") == 2
        assert ran.outputs(2) == []

    async def test_a_kernel_that_dies_is_told_with_its_signal(self, executor: Executor) -> None:
        ran = await self.run(
            executor, "print('kept')", "import os\nos.kill(os.getpid(), 11)", cells=(Cell(), Cell(retries=3))
        )
        assert ran.end.marker_code == 139
        assert ran.end.notebook is not None
        assert ran.end.notebook.why == "the kernel was killed by signal 11 (SIGSEGV) in cell 2 of 2, try 1 of 4"
        assert ran.end.notebook.why in ran.err
        assert "Fatal Python error: Segmentation fault\n" in ran.err
        assert ran.text(1) == "kept\n"

    async def test_output_arrives_while_a_cell_is_executed(self, executor: Executor) -> None:
        launch = await self.launched(executor, CAREFUL)
        seen = b""
        async with asyncio.timeout(WITHIN_S):
            async for frame in executor.frames(launch.ref, skip=0, follow=True):
                seen += frame.data
                if b"on\n" in seen:
                    break
            await executor.stop(launch.ref, grace_s=20)
        ran = await self.ended(executor, launch)
        assert (ran.end.marker_code, ran.end.signal) == (143, 15)
        assert "cleaned up\n" in ran.out
        assert ran.end.notebook is not None
        assert ran.end.notebook.where == "cell 1 of 1"
        assert ran.text(1) == "on\ncleaned up\n"

"""From the first cell to the end: try by try, with a word on each.

| ends with | when |
|---|---|
| 0 | every cell was executed, or one of them ended the notebook by `exit()` or `sys.exit()` |
| 1 | a cell failed for good, or the notebook cannot be executed |
| 128 + signal, or its exit code | the kernel died |
| SIGTERM | it was told to end: the cell in hand was interrupted first, and what there is was kept |
"""

import asyncio
import json
import logging
import os
import signal
import sys
import time
import warnings
from typing import Any, NamedTuple

from nbclient.exceptions import CellExecutionError, DeadKernelError

from fastflow_runner.entry.notebook import words
from fastflow_runner.entry.notebook.client import Client, failed_try
from fastflow_runner.entry.notebook.hiding import Hider
from fastflow_runner.entry.notebook.keeping import Executed, Progress, read
from fastflow_runner.entry.notebook.kernel import Kernel
from fastflow_runner.entry.notebook.plan import CodeCell, UnusableError, planned
from fastflow_runner.entry.notebook.telling import STDERR, Log

_FAILED = 1
_GRACE_SHARE = 0.6
"""Of the time between SIGTERM and SIGKILL, so much is given to the cell in hand."""
_DEATH_S = 2.0


class ToldToEndError(Exception):
    """SIGTERM came."""


class Try(NamedTuple):
    """How one try of a cell ended."""

    why: str = ""
    """Empty when it succeeded."""
    code: int | None = None
    """What the whole notebook ends with now; None when it goes on."""


class Driver:
    """Executes one notebook, once."""

    def __init__(self, order: dict[str, Any], log: Log, progress: Progress) -> None:
        """Read and check everything.

        Raises:
            UnusableError: there is nothing to execute.
        """
        self._notebook = read(order["notebook"])
        self._plan = planned(self._notebook["cells"], order["cells"])
        hider = Hider(value for name in order["secret"] if (value := os.environ.get(name)))
        self._executed = Executed(order["executed"], self._notebook, hider)
        self._log = log
        self._progress = progress
        self._grace_s: float = order["grace_s"]
        self._kernel = Kernel(order["scratch"])
        self._client = Client(self._notebook, self._kernel.manager, hear=log.hear)
        self._client.on_cell_executed = self._note_exit
        self._asked_to_exit = False
        self._terminated = asyncio.Event()
        self._begun = False
        self._in_cell = False

    async def drive(self) -> int:
        """The exit code.

        Raises:
            ToldToEndError: SIGTERM came; everything that could be kept is kept.
        """
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._terminated.set)
        work = asyncio.ensure_future(self._execute())
        terminated = asyncio.ensure_future(self._terminated.wait())
        await asyncio.wait((work, terminated), return_when=asyncio.FIRST_COMPLETED)
        if self._terminated.is_set() and not work.done():
            if self._in_cell:
                await self._kernel.interrupt()
                await asyncio.wait((work,), timeout=self._grace_s * _GRACE_SHARE)
            work.cancel()
            await asyncio.wait((work,))
        terminated.cancel()
        stopped = self._terminated.is_set()
        if why := self._save():
            self._log.say(why, stream=STDERR)
        await self._kernel.end(now=stopped or not self._begun)
        if stopped:
            raise ToldToEndError
        return work.result()

    def _save(self) -> str:
        self._client.set_widgets_metadata()
        return self._executed.save(at_once=True)

    async def _execute(self) -> int:
        try:
            await self._kernel.start(self._client.async_start_new_kernel)
            await self._client.async_start_new_kernel_client()
            await self._client.prepare()
        except (RuntimeError, OSError) as error:
            why = f"the kernel did not start: {error}"
            self._log.quote(self._kernel.last_words())
            self._log.say(why, stream=STDERR)
            self._progress.failed("", why)
            return _FAILED
        self._begun = True
        for cell in self._plan:
            if (code := await self._cell(cell)) is not None:
                return code
        self._progress.done()
        return 0

    async def _cell(self, cell: CodeCell) -> int | None:
        content = self._notebook["cells"][cell.place]
        before: list[Any] = []
        for trial in range(1, cell.tries + 1):
            here = words.place(cell.number, len(self._plan), trial, cell.tries)
            self._log.say(here)
            self._progress.at(here)
            began = time.monotonic()
            end = await self._try(content, cell, here, before)
            took = f"{time.monotonic() - began:.1f} s"
            self._executed.save()
            if not end.why:
                self._log.say(f"{here}: done in {took}")
                self._progress.ended(cell.number, succeeded=True, tries=trial)
                if end.code is not None:
                    self._progress.done()
                return end.code
            again = end.code is None and trial < cell.tries
            word = f"{here}: failed after {took}: {end.why}"
            self._log.say(f"{word}; again in {cell.delay_s:g} s" if again else word, stream=STDERR)
            if not again:
                self._progress.ended(cell.number, succeeded=False, tries=trial)
                self._progress.failed(here, end.why if end.code is not None else f"{here} failed: {end.why}")
                return _FAILED if end.code is None else end.code
            before = failed_try(content.outputs, word)
            await asyncio.sleep(cell.delay_s)
        raise AssertionError("unreachable")

    async def _try(self, content: Any, cell: CodeCell, here: str, before: list[Any]) -> Try:
        self._in_cell = True
        try:
            await self._client.try_cell(content, cell.place, before=before)
        except CellExecutionError as error:
            if self._terminated.is_set():
                raise ToldToEndError from error
            if error.ename == "SystemExit":
                return self._left(here, error.evalue)
            return Try(words.error(error.ename, error.evalue))
        except DeadKernelError as error:
            if self._terminated.is_set():
                raise ToldToEndError from error
            return await self._dead(here)
        finally:
            self._in_cell = False
        if self._asked_to_exit:
            return self._left(here, "0")
        return Try()

    def _left(self, here: str, value: str) -> Try:
        """The cell ended the notebook by itself, as a script ends by `sys.exit()`."""
        code = words.exit_code(value)
        if code == 0:
            self._log.say(f"{here}: it ended the notebook")
            return Try(code=0)
        with_what = f": {words.error('SystemExit', value)}" if code is None else f" with exit code {code}"
        return Try(f"{here} ended the notebook{with_what}", _FAILED if code is None else code)

    async def _dead(self, here: str) -> Try:
        status = await self._kernel.status(within_s=_DEATH_S)
        self._log.quote(words.crash(self._kernel.last_words()))
        why = words.death(status, here)
        return Try(why, 128 - status if status is not None and status < 0 else status or _FAILED)

    def _note_exit(self, execute_reply: dict[str, Any], **_: Any) -> None:
        payload = execute_reply["content"].get("payload", [])
        self._asked_to_exit = any(part.get("source") == "ask_exit" for part in payload)


def main() -> int:
    """Execute the notebook that the first argument of this mode describes."""
    order = json.loads(sys.argv[2])
    # What these libraries have to say to those who maintain them does not belong into a run's output.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    log, progress = Log(), Progress(order["progress"])
    try:
        return asyncio.run(_drive(order, log, progress))
    except UnusableError as error:
        log.say(str(error), stream=STDERR)
        progress.failed("", str(error))
        return _FAILED
    except ToldToEndError:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        return 128 + signal.SIGTERM


async def _drive(order: dict[str, Any], log: Log, progress: Progress) -> int:
    return await Driver(order, log, progress).drive()

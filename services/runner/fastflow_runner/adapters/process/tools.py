"""The entry program's modes that make and look through what runs need, as processes that end with this one."""

import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from fastflow_events.errors import InfrastructureError

from fastflow_runner.adapters.process.start import command

RESULT_BYTES = 16 << 20
"""The longest result of a tool, and the longest lock: no longer than the orders that are made of them."""
WORDS_BYTES = 64 << 10
"""As much is read of what a tool has to complain of."""


class TooLateError(InfrastructureError):
    """A tool took longer than it may, and was ended."""


class ProcessTools:
    """Starts them; calls block."""

    def __init__(self, env: Mapping[str, str], tool_s: float) -> None:
        """`tool_s` is how long one may take in which nothing of a package is executed."""
        self._env = dict(env)
        self._tool_s = tool_s
        self.closing = threading.Event()
        """Set once nothing is to be started any more."""
        self._turn = threading.Lock()
        self._busy: dict[subprocess.Popen[bytes], Path | None] = {}
        """And the environment that is made, where it is one."""

    def close(self) -> None:
        """End what is being made; calls fail, and nothing half made is ever used."""
        with self._turn:
            self.closing.set()
            for process in self._busy:
                _kill(process)

    def end(self, memory: Path) -> None:
        """End what makes that environment."""
        with self._turn:
            for process in [process for process, made in self._busy.items() if made == memory]:
                _kill(process)

    def soon(self) -> float:
        """Instant by which one has to be done in which nothing of a package is executed."""
        return time.monotonic() + self._tool_s

    def call(
        self, mode: str, order: bytes | IO[bytes], until: float, memory: Path | None = None
    ) -> tuple[int, bytes, str]:
        """Exit code of a mode, its result and its words; `memory` is the environment that is made, where it is one.

        Raises:
            TooLateError: it was not done `until` then, and was ended.
            InfrastructureError: it could not be started.
        """
        with TemporaryFile() as result, TemporaryFile() as out, TemporaryFile() as err:
            if isinstance(order, bytes):
                result.write(order)
                result.seek(0)
            try:
                with self._started(mode, result if isinstance(order, bytes) else order, out, err, memory) as process:
                    status = process.wait(None if until == math.inf else max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired as error:
                raise TooLateError(f"the entry program did not {mode} in time") from error
            except OSError as error:
                raise InfrastructureError(f"the entry program did not {mode}: {error}") from error
            out.seek(0)
            err.seek(0)
            return status, out.read(RESULT_BYTES), err.read(WORDS_BYTES).decode("utf-8", "replace").strip()

    @contextmanager
    def _started(
        self, mode: str, stdin: IO[bytes], out: IO[bytes], err: IO[bytes], memory: Path | None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """The entry program, with all it starts in a session that ends with the block."""
        with self._turn:
            if self.closing.is_set():
                raise InfrastructureError("the runner stops")
            process = subprocess.Popen(
                command(mode), stdin=stdin, stdout=out, stderr=err, env=self._env, start_new_session=True
            )
            self._busy[process] = memory
        try:
            with process:
                try:
                    yield process
                except BaseException:
                    _kill(process)
                    raise
        finally:
            with self._turn:
                del self._busy[process]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)

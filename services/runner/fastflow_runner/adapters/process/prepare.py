"""Code and environments on this machine, made by the same entry program that makes them in containers."""

import fcntl
import math
import os
import signal
import subprocess
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import ContractError, InfrastructureError
from msgspec import structs

from fastflow_runner.adapters.process.start import command
from fastflow_runner.core import marks
from fastflow_runner.core.orders import (
    build_order,
    delete_order,
    input_name,
    jit_prepared,
    of_generation,
    prepare_order,
    stage_order,
    took_too_long,
    unstage_order,
)
from fastflow_runner.entry.codes import NEEDS_BUILD, NOT_STAGED, REFUSED
from fastflow_runner.entry.leaving import head
from fastflow_runner.entry.sealed import head_of
from fastflow_runner.ports import DependencyError, Prepared, VolumeChangedError

_TURN_S = 0.2
RESULT_BYTES = 16 << 20
"""The longest result of a tool, and the longest lock: no longer than the orders that are made of them."""
WORDS_BYTES = 64 << 10
"""As much is read of what a tool has to complain of."""


class TooLateError(InfrastructureError):
    """A tool took longer than it may, and was ended."""


class ProcessEnvironments:
    """Folders `code/` and `uv/` below one root; calls block, and are safe to repeat side by side."""

    def __init__(
        self, root: Path, uv: str, env: Mapping[str, str], uv_settings: Mapping[str, str], tool_s: float
    ) -> None:
        self._root = root
        self._uv = uv
        self._env = dict(env)
        self._settings = dict(uv_settings)
        self._closing = threading.Event()
        self._turn = threading.Lock()
        self._busy: dict[subprocess.Popen[bytes], Path | None] = {}
        """And the environment that is made, where it is one."""
        self._tool_s = tool_s
        self._asking: Counter[Path] = Counter()
        self._left: Counter[Path] = Counter()
        """How many of those who ask have gone away; the threads that asked for them are still there."""

    def close(self) -> None:
        """End what is being made; calls fail, and nothing half made is ever used."""
        with self._turn:
            self._closing.set()
            for process in self._busy:
                _kill(process)

    def give_up(self, specification: Specification, lock: str | None, generation: int = 0) -> None:
        """End the making of the environment, once as many have gone away as have asked for it."""
        memory = self._memory(specification, lock, generation)
        with self._turn:
            if not self._asking[memory]:
                return
            self._left[memory] += 1
            if self._left[memory] >= self._asking[memory]:
                for process in [process for process, made in self._busy.items() if made == memory]:
                    _kill(process)

    def stage(self, target: Path, bundle: bytes) -> None:
        """Unpack a bundle to `target`.

        Raises:
            ContractError: the bundle must not be unpacked.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        order = stage_order(str(target), bundle)
        with TemporaryFile(dir=target.parent) as file:
            for piece in order:
                file.write(piece)
            file.seek(0)
            code, _, words = self._call("stage", file, self._soon())
        if code == REFUSED:
            raise ContractError(words)
        if code != 0:
            raise InfrastructureError(f"the code cannot be staged: {words}")

    def unstage(self, targets: Sequence[Path]) -> None:
        """Delete what was staged there."""
        code, _, words = self._call("stage", unstage_order([str(target) for target in targets]), self._soon())
        if code != 0:
            raise InfrastructureError(f"staged code is not deleted: {words}")

    def prepare(
        self,
        specification: Specification,
        lock: str | None,
        code: Path,
        generation: int = 0,
        within_s: float | None = None,
    ) -> Prepared:
        """Return the environment, from memory of earlier calls if it is still there.

        Raises:
            DependencyError: a requirement cannot be resolved or installed, or not in that time.
            VolumeChangedError: the code is no longer there.
        """
        if specification.isolation == "jit":
            return jit_prepared(specification, self._uv)
        uv, memory = self._root / "uv", self._memory(specification, lock, generation)
        memory.parent.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + (math.inf if within_s is None else within_s)
        with self._asks(memory), self._alone(memory.with_suffix(".lock"), until):
            if (known := self._remembered(memory)) is not None:
                return known
            order = prepare_order(specification, lock, root=str(uv), uv=self._uv, code=str(code), env=self._settings)
            try:
                status, line, words = self._call("prepare", order, until, memory)
                if status == NEEDS_BUILD:
                    status, line, words = self._built(specification, lock, line, code, (until, memory))
            except TooLateError as error:
                raise DependencyError(took_too_long(within_s)) from error
            if status == REFUSED:
                raise DependencyError(words)
            if status == NOT_STAGED:
                raise VolumeChangedError(words)
            prepared = marks.prepared(line) if status == 0 else None
            if prepared is None:
                raise InfrastructureError(f"the environment cannot be prepared: {words}", code=status)
            # Who asks next will have the lock of this time.
            for same in (self._memory(specification, prepared.lock), memory):
                temporary = memory.with_suffix(".new")  # ours alone, while we hold the lock
                temporary.write_bytes(line)
                temporary.replace(same)
            return prepared

    def delete(self, environments: Sequence[str]) -> dict[str, int]:
        """Delete environments that no run is in; those that are gone now, and the bytes that it freed."""
        order = delete_order(environments, root=str(self._root / "uv"))
        status, line, words = self._call("prepare", order, self._soon())
        freed = marks.deleted(line) if status == 0 else None
        if freed is None:
            raise InfrastructureError(f"environments cannot be deleted: {words}", code=status)
        for memory in (self._root / "uv" / "prepared").glob("*.json"):
            known = marks.prepared(memory.read_bytes())
            if known is not None and known.environment in freed:
                memory.unlink(missing_ok=True)
        return freed

    def _built(
        self, specification: Specification, lock: str | None, asked: bytes, code: Path, turn: tuple[float, Path]
    ) -> tuple[int, bytes, str]:
        """Build what comes as sources, then prepare with the wheels; the folder of the build does not stay."""
        with TemporaryDirectory(dir=self._root / "uv") as folder:
            order = build_order(specification, lock, asked, root=folder, uv=self._uv, env=self._settings)
            status, line, words = self._call("build", order, *turn)
            if status != 0:
                return status, line, words
            lock = _text(Path(folder) / "out" / "lock.txt")
            order = prepare_order(
                specification,
                lock,
                root=str(self._root / "uv"),
                uv=self._uv,
                code=str(code),
                env=self._settings,
                wheels=True,
            )
            with TemporaryFile(dir=folder) as archive, TemporaryFile(dir=folder) as output:
                with tarfile.open(fileobj=archive, mode="w") as tar:
                    tar.add(f"{folder}/out", "out")
                length = archive.tell()
                archive.seek(0)
                digest = file_digest(archive, "sha256").digest()
                archive.seek(0)
                output.write(order + head_of(length, digest))
                copyfileobj(archive, output)
                output.seek(0)
                return self._call("prepare", output, *turn)

    def _memory(self, specification: Specification, lock: str | None, generation: int = 0) -> Path:
        builder = of_generation(self._uv, lock, generation)
        return self._root / "uv" / "prepared" / f"{input_name(specification, lock, builder)}.json"

    def _remembered(self, memory: Path) -> Prepared | None:
        try:
            known = marks.prepared(memory.read_bytes())
        except FileNotFoundError:
            return None
        if known is None or not Path(known.interpreter).exists():
            return None
        return structs.replace(known, prepare_s=0.0)

    @contextmanager
    def _asks(self, memory: Path) -> Iterator[None]:
        with self._turn:
            self._asking[memory] += 1
        try:
            yield
        finally:
            with self._turn:
                self._asking[memory] -= 1
                if not self._asking[memory]:
                    del self._asking[memory], self._left[memory]

    def _soon(self) -> float:
        return time.monotonic() + self._tool_s

    @contextmanager
    def _alone(self, lock: Path, until: float) -> Iterator[None]:
        """Nobody else makes the same, in this process or another, while the block runs."""
        with lock.open("wb") as turn:
            while not self._closing.is_set():
                try:
                    fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise DependencyError("others took too long to make it") from None
                    self._closing.wait(_TURN_S)
                else:
                    yield
                    return
        raise InfrastructureError("the runner stops")

    def _call(
        self, mode: str, order: bytes | IO[bytes], until: float, memory: Path | None = None
    ) -> tuple[int, bytes, str]:
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
            if self._closing.is_set():
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


def _text(path: Path) -> str | None:
    text = head(str(path), RESULT_BYTES)
    return None if text is None else text.decode("utf-8", "replace")

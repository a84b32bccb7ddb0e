"""Code and environments on this machine, made by the same entry program that makes them in containers."""

import fcntl
import os
import signal
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_events.run.specification import Specification
from msgspec import structs

from fastflow_runner import marks
from fastflow_runner.adapters.process_start import command
from fastflow_runner.entry.preparing import NEEDS_BUILD, NOT_STAGED, REFUSED
from fastflow_runner.orders import (
    build_order,
    built_lock,
    delete_order,
    input_name,
    jit_prepared,
    of_generation,
    prepare_order,
    stage_order,
    unstage_order,
)
from fastflow_runner.ports import DependencyError, Prepared, VolumeChangedError

_STAGE_S = 300
_PREPARE_S = 1800
_TURN_S = 0.2


class ProcessEnvironments:
    """Folders `code/` and `uv/` below one root; calls block, and are safe to repeat side by side."""

    def __init__(self, root: Path, uv: str, env: Mapping[str, str], uv_settings: Mapping[str, str]) -> None:
        self._root = root
        self._uv = uv
        self._env = dict(env)
        self._settings = dict(uv_settings)
        self._closing = threading.Event()
        self._turn = threading.Lock()
        self._busy: set[subprocess.Popen[bytes]] = set()

    def close(self) -> None:
        """End what is being made; calls fail, and nothing half made is ever used."""
        with self._turn:
            self._closing.set()
            for process in self._busy:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

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
            code, _, words = self._call("stage", file, _STAGE_S)
        if code == REFUSED:
            raise ContractError(words)
        if code != 0:
            raise InfrastructureError(f"the code cannot be staged: {words}")

    def unstage(self, targets: Sequence[Path]) -> None:
        """Delete what was staged there."""
        code, _, words = self._call("stage", unstage_order([str(target) for target in targets]), _STAGE_S)
        if code != 0:
            raise InfrastructureError(f"staged code is not deleted: {words}")

    def prepare(self, specification: Specification, lock: str | None, code: Path, generation: int = 0) -> Prepared:
        """Return the environment, from memory of earlier calls if it is still there.

        Raises:
            DependencyError: a requirement cannot be resolved or installed.
            VolumeChangedError: the code is no longer there.
        """
        if specification.isolation == "jit":
            return jit_prepared(specification, self._uv)
        uv, memory = self._root / "uv", self._memory(specification, lock, generation)
        memory.parent.mkdir(parents=True, exist_ok=True)
        with self._alone(memory.with_suffix(".lock")):
            if (known := self._remembered(memory)) is not None:
                return known
            order = prepare_order(specification, lock, root=str(uv), uv=self._uv, code=str(code), env=self._settings)
            status, line, words = self._call("prepare", order, _PREPARE_S)
            if status == NEEDS_BUILD:
                status, line, words = self._built(specification, lock, line, code)
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
        status, line, words = self._call("prepare", order, _PREPARE_S)
        freed = marks.deleted(line) if status == 0 else None
        if freed is None:
            raise InfrastructureError(f"environments cannot be deleted: {words}", code=status)
        for memory in (self._root / "uv" / "prepared").glob("*.json"):
            known = marks.prepared(memory.read_bytes())
            if known is not None and known.environment in freed:
                memory.unlink(missing_ok=True)
        return freed

    def _built(
        self, specification: Specification, lock: str | None, asked: bytes, code: Path
    ) -> tuple[int, bytes, str]:
        """Build what comes as sources, then prepare with the wheels; the folder of the build does not stay."""
        with TemporaryDirectory(dir=self._root / "uv") as folder:
            order = build_order(specification, lock, asked, root=folder, uv=self._uv, env=self._settings)
            status, line, words = self._call("build", order, _PREPARE_S)
            if status != 0:
                return status, line, words
            archive = BytesIO()
            with tarfile.open(fileobj=archive, mode="w") as tar:
                tar.add(f"{folder}/out", "out")
        wheels = archive.getvalue()
        order = prepare_order(
            specification,
            built_lock(wheels),
            root=str(self._root / "uv"),
            uv=self._uv,
            code=str(code),
            env=self._settings,
            wheels=wheels,
        )
        return self._call("prepare", order, _PREPARE_S)

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
    def _alone(self, lock: Path) -> Iterator[None]:
        """Nobody else makes the same, in this process or another, while the block runs."""
        with lock.open("wb") as turn:
            while not self._closing.is_set():
                try:
                    fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self._closing.wait(_TURN_S)
                else:
                    yield
                    return
        raise InfrastructureError("the runner stops")

    def _call(self, mode: str, order: bytes | IO[bytes], limit_s: float) -> tuple[int, bytes, str]:
        stdin, told = (subprocess.PIPE, order) if isinstance(order, bytes) else (order, None)
        try:
            with self._started(mode, stdin) as process:
                out, err = process.communicate(told, limit_s)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InfrastructureError(f"the entry program did not {mode}: {error}") from error
        return process.returncode, out, err.decode("utf-8", "replace").strip()

    @contextmanager
    def _started(self, mode: str, stdin: int | IO[bytes] = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
        """The entry program, with all it starts in a session that ends with the block."""
        pipe = subprocess.PIPE
        with self._turn:
            if self._closing.is_set():
                raise InfrastructureError("the runner stops")
            process = subprocess.Popen(
                command(mode), stdin=stdin, stdout=pipe, stderr=pipe, env=self._env, start_new_session=True
            )
            self._busy.add(process)
        try:
            with process:
                try:
                    yield process
                except BaseException:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    raise
        finally:
            with self._turn:
                self._busy.discard(process)

"""Environments on this machine, made by the same entry program that makes them in containers."""

import fcntl
import math
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory, TemporaryFile

from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import InfrastructureError
from msgspec import structs

from fastflow_runner.adapters.process.tools import RESULT_BYTES, ProcessTools, TooLateError
from fastflow_runner.core import marks
from fastflow_runner.core.orders import (
    build_order,
    delete_order,
    input_name,
    jit_prepared,
    of_generation,
    prepare_order,
    took_too_long,
)
from fastflow_runner.core.shortfalls import OthersTooLong
from fastflow_runner.entry.codes import NEEDS_BUILD, NOT_STAGED, REFUSED
from fastflow_runner.entry.leaving import head
from fastflow_runner.entry.sealed import head_of
from fastflow_runner.ports import DependencyError, Prepared, VolumeChangedError

_TURN_S = 0.2


class ProcessEnvironments:
    """Folder `uv/` below a root; calls block, and are safe to repeat side by side."""

    def __init__(self, root: Path, uv: str, tools: ProcessTools, uv_settings: Mapping[str, str], *, key: str) -> None:
        """What is made is sealed with the key."""
        self._root = root
        self._key = key
        self._uv = uv
        self._settings = dict(uv_settings)
        self._tools = tools
        self._turn = threading.Lock()
        self._asking: Counter[Path] = Counter()
        self._left: Counter[Path] = Counter()
        """How many of those who ask have gone away; the threads that asked for them are still there."""

    def give_up(self, specification: Specification, lock: str | None, generation: int = 0) -> None:
        """End the making of the environment, once as many have gone away as have asked for it."""
        memory = self._memory(specification, lock, generation)
        with self._turn:
            if not self._asking[memory]:
                return
            self._left[memory] += 1
            if self._left[memory] >= self._asking[memory]:
                self._tools.end(memory)

    def forget(self, environment: str) -> None:
        """Have it looked for, or made again, by who asks for it next."""
        self._forget({environment})

    def _forget(self, environments: Collection[str]) -> None:
        for memory in (self._root / "uv" / "prepared").glob("*.json"):
            known = marks.prepared(memory.read_bytes())
            if known is not None and known.environment in environments:
                memory.unlink(missing_ok=True)

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
            order = prepare_order(
                specification,
                lock,
                root=str(uv),
                uv=self._uv,
                code=str(code),
                env=self._settings,
                key=self._key,
            )
            try:
                status, line, words = self._tools.call("prepare", order, until, memory)
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
        status, line, words = self._tools.call("prepare", order, self._tools.soon())
        freed = marks.deleted(line) if status == 0 else None
        if freed is None:
            raise InfrastructureError(f"environments cannot be deleted: {words}", code=status)
        self._forget(freed)
        return freed

    def _built(
        self, specification: Specification, lock: str | None, asked: bytes, code: Path, turn: tuple[float, Path]
    ) -> tuple[int, bytes, str]:
        """Build what comes as sources, then prepare with the wheels; the folder of the build does not stay."""
        with TemporaryDirectory(dir=self._root / "uv") as folder:
            order = build_order(specification, lock, asked, root=folder, uv=self._uv, env=self._settings)
            status, line, words = self._tools.call("build", order, *turn)
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
                key=self._key,
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
                return self._tools.call("prepare", output, *turn)

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
        if known.lock and not known.sealed:
            return None
        return structs.replace(known, prepare_s=0.0, spoiled=())

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

    @contextmanager
    def _alone(self, lock: Path, until: float) -> Iterator[None]:
        """Nobody else makes the same, in this process or another, while the block runs."""
        with lock.open("wb") as turn:
            while not self._tools.closing.is_set():
                try:
                    fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise DependencyError(OthersTooLong()) from None
                    self._tools.closing.wait(_TURN_S)
                else:
                    yield
                    return
        raise InfrastructureError("the runner stops")


def _text(path: Path) -> str | None:
    text = head(str(path), RESULT_BYTES)
    return None if text is None else text.decode("utf-8", "replace")

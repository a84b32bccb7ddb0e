"""One attempt's folder on the process executor, and what its files say.

| path | holds |
|---|---|
| `lock` | taken while somebody decides about the attempt |
| `process.json` | pid, start time and boot of the entry program, written before it gets its order |
| `state/` | the markers, the route file, the artifacts |
| `app/` | the script's folder |
| `home/` | the script's home |
| `spool` | the output |
| `entry.log` | words of the entry program itself |
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from fastflow_events.errors import InfrastructureError
from msgspec import DecodeError, json

from fastflow_runner.adapters.process.start import ENTRY
from fastflow_runner.adapters.process.table import ProcessId, is_alive
from fastflow_runner.core import marks
from fastflow_runner.core.attempt_paths import AttemptPaths
from fastflow_runner.entry.leaving import head
from fastflow_runner.entry.markers import EXIT_BYTES
from fastflow_runner.ports import Started

_LOCK_S = 120.0
_POLL_S = 0.02


class ProcessFolder:
    """The folder of one attempt; it need not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spool = path / "spool"
        self.log = path / "entry.log"
        self.kept = path / "state" / "kept"

    def paths(self, code: str) -> AttemptPaths:
        """Where the entry program finds and puts things."""
        return AttemptPaths(
            code=code,
            app=str(self.path / "app"),
            state=str(self.path / "state"),
            home=str(self.path / "home"),
            entry=ENTRY,
            spool=str(self.spool),
            contained=False,
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one who decides about this attempt.

        Raises:
            InfrastructureError: somebody else has been deciding for two minutes.
        """
        give_up = time.monotonic() + _LOCK_S
        while (lock := self._try_lock()) is None:
            if time.monotonic() > give_up:
                raise InfrastructureError("somebody else has been starting this attempt for minutes", at=str(self.path))
            time.sleep(_POLL_S)
        try:
            yield
        finally:
            os.close(lock)

    def _try_lock(self) -> int | None:
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            return None
        with suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A folder that was removed meanwhile took its lock with it.
            if os.path.samestat(os.fstat(lock), (self.path / "lock").stat()):
                return lock
        os.close(lock)
        return None

    def process(self) -> ProcessId | None:
        """The entry program; None when no order was ever sent to one."""
        try:
            return json.decode((self.path / "process.json").read_bytes(), type=ProcessId)
        except (OSError, DecodeError):
            return None

    def record(self, process: ProcessId) -> None:
        """Make the entry program findable after this process was killed."""
        temporary = self.path / "process.json.new"
        with temporary.open("wb") as file:
            file.write(json.encode(process))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path / "process.json")

    def marker(self, name: str) -> bytes:
        """Content of a marker; empty without one, and where it is too large to be one."""
        marker = head(str(self.path / "state" / name), EXIT_BYTES + 1) or b""
        return marker if len(marker) <= EXIT_BYTES else b""

    def started(self) -> Started | None:
        """What the marker `started` says."""
        return marks.started(self.marker("started"))

    def state(self) -> Literal["absent", "created", "running", "exited"]:
        """What became of the attempt."""
        process = self.process()
        if process is None:
            return "created" if self.path.is_dir() else "absent"
        return "running" if is_alive(process) else "exited"

    def clear(self) -> None:
        """Forget everything but the lock."""
        for entry in self.path.iterdir():
            if entry.name != "lock":
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def remove(self) -> None:
        """Delete the folder; whoever wants the attempt next makes a new one."""
        with self.locked():
            self.clear()
            shutil.rmtree(self.path)

    def make(self) -> None:
        """Lay the folders the entry program expects."""
        for name in ("app", "home"):
            (self.path / name).mkdir(exist_ok=True)

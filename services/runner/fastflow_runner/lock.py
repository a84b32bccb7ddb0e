"""What this machine remembers of a runner: who runs under its id, and its key."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fastflow_runner.lease import RunnerTakenError

WAIT_S = 3.0
_POLL_S = 0.05
KEY_BYTES = 32


@contextmanager
def hold(folder: Path, incarnation: str) -> Iterator[str | None]:
    """Be the only process of this runner on this machine; yields the incarnation before us, which is dead.

    The kernel gives the lock back when its holder dies, however that happens.

    Raises:
        RunnerTakenError: another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_up = time.monotonic() + WAIT_S
        while not _locked(lock):
            if time.monotonic() > give_up:
                raise RunnerTakenError(f"another process on this machine is this runner: it holds {folder / 'lock'}")
            time.sleep(_POLL_S)
        predecessor = os.pread(lock, 200, 0).decode(errors="replace").strip() or None
        os.pwrite(lock, f"{incarnation}\n".encode(), 0)
        os.ftruncate(lock, len(incarnation) + 1)
        os.fsync(lock)
        yield predecessor
    finally:
        os.close(lock)


def key_of(folder: Path) -> bytes:
    """The secret of all runners of one home: made once, readable by their user only."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "key"
    if not path.exists():
        temporary = folder / f".key.{secrets.token_hex(8)}"
        temporary.touch(mode=0o600)
        temporary.write_bytes(secrets.token_bytes(KEY_BYTES))
        # Whoever links first decides; a runner that starts beside us takes the same.
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
        temporary.unlink()
    return path.read_bytes()


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""The files by which an attempt proves what happened to it; all in one folder below the run's own.

| file | written | means |
|---|---|---|
| `started` | before user code, at most once | user code may have run |
| `refused` | instead of `started` | user code was never started, and why |
| `exit.json` | at the end | how user code ended; only the entry program knows the nonce in it |
"""

import json
import os

from fastflow_runner.entry.output import write_all

NEVER_STARTED = 125
"""Exit code of the entry program that did not start user code."""

_RESERVE = ".reserve"
EXIT_BYTES = 393_216
"""The largest marker there is, whatever a script leaves: its result, and twice the paths of its artifacts."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def claim_start(folder: str, marker: dict[str, object]) -> bool:
    """Write the marker `started`; False when there is one already."""
    temporary = _write(folder, marker)
    try:
        os.link(temporary, f"{folder}/started")
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)  # noqa: PTH108 - pathlib costs start-up time
    _sync_folder(folder)
    return True


def write_refused(folder: str, reason: str, detail: str) -> None:
    """Say why user code was not started; best effort, the exit code says that it was not."""
    try:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        os.replace(_write(folder, {"reason": reason, "detail": detail}), f"{folder}/refused")  # noqa: PTH105
    except OSError:
        return


def reserve(folder: str) -> None:
    """Lay room by for the marker `exit.json`, so that a disk the script fills cannot keep it from being written."""
    try:
        fd = os.open(f"{folder}/{_RESERVE}", _NEW, 0o600)
    except OSError:
        return
    try:
        os.posix_fallocate(fd, 0, EXIT_BYTES)
    except OSError:
        return
    finally:
        os.close(fd)


def write_exit(folder: str, marker: dict[str, object]) -> None:
    """Write the marker `exit.json`, even when the script took the folder away or put something in its place.

    Raises:
        OSError: the disk is full, and nothing was laid by.
    """
    if os.path.islink(folder) or not os.path.isdir(folder):  # noqa: PTH112, PTH114
        if os.path.lexists(folder):
            os.rename(folder, f"{folder}.{os.urandom(8).hex()}")  # noqa: PTH104
        os.makedirs(folder)  # noqa: PTH103
    target = f"{folder}/exit.json"
    if os.path.isdir(target) and not os.path.islink(target):  # noqa: PTH112, PTH114
        os.rename(target, f"{target}.{os.urandom(8).hex()}")  # noqa: PTH104
    try:
        path = _write(folder, marker)
    except OSError:
        path = _fill(folder, marker)
    os.replace(path, target)  # noqa: PTH105
    _sync_folder(folder)


def _write(folder: str, marker: dict[str, object]) -> str:
    path = f"{folder}/.{os.urandom(8).hex()}"
    fd = os.open(path, _NEW, 0o644)
    try:
        write_all(fd, json.dumps(marker).encode())
        os.fsync(fd)
    except OSError:
        os.unlink(path)  # noqa: PTH108
        raise
    finally:
        os.close(fd)
    return path


def _fill(folder: str, marker: dict[str, object]) -> str:
    """Write into the room that was laid by: nothing new is needed of the disk."""
    path = f"{folder}/{_RESERVE}"
    fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        data = json.dumps(marker).encode()
        write_all(fd, data)
        os.ftruncate(fd, len(data))
        os.fsync(fd)
        os.fchmod(fd, 0o644)
    finally:
        os.close(fd)
    return path


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""The files by which an attempt proves what happened to it; all in one folder below the run's own.

| file | written | means |
|---|---|---|
| `started` | before user code, at most once | user code may have run |
| `refused` | instead of `started` | user code was never started, and why |
| `exit.json` | at the end | how user code ended; only the entry program knows the nonce in it |
"""

import json
import os

NEVER_STARTED = 125
"""Exit code of the entry program that did not start user code."""

ROUTE_BYTES = 1024
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


def write_exit(folder: str, marker: dict[str, object]) -> None:
    """Write the marker `exit.json`, even when the script took the folder away or put something in its place."""
    if os.path.islink(folder) or not os.path.isdir(folder):  # noqa: PTH112, PTH114
        if os.path.lexists(folder):
            os.rename(folder, f"{folder}.{os.urandom(8).hex()}")  # noqa: PTH104
        os.makedirs(folder)  # noqa: PTH103
    target = f"{folder}/exit.json"
    if os.path.isdir(target) and not os.path.islink(target):  # noqa: PTH112, PTH114
        os.rename(target, f"{target}.{os.urandom(8).hex()}")  # noqa: PTH104
    os.replace(_write(folder, marker), target)  # noqa: PTH105
    _sync_folder(folder)


def read_route(path: str) -> str | None:
    """What the script wrote into the route file, without blanks around it; None when nothing, or over 1 kB."""
    # The script may have put a pipe or a link there.
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(fd, ROUTE_BYTES + 1)
    except OSError:
        return None
    finally:
        os.close(fd)
    text = data.decode("utf-8", "replace").strip()
    return text if text and len(data) <= ROUTE_BYTES else None


def _write(folder: str, marker: dict[str, object]) -> str:
    path = f"{folder}/.{os.urandom(8).hex()}"
    fd = os.open(path, _NEW, 0o644)
    try:
        os.write(fd, json.dumps(marker).encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    return path


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""Environments deleted that nothing needs, with the files of the cache that only they had."""

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from fastflow_runner.entry.store import sweep
from fastflow_runner.entry.using import InUseError, alone, lock
from fastflow_runner.entry.uv import OutageError

_NAME = re.compile(r"[0-9a-f]{32}")
_ABANDONED_S = 86_400


def delete(root: str, names: Sequence[str]) -> dict[str, object]:
    """Which environments are gone now and how many bytes that freed, and which are in use."""
    freed: dict[str, int] = {}
    busy: list[str] = []
    for name in names:
        if _NAME.fullmatch(name):
            try:
                freed[name] = _delete(f"{root}/envs/{name}")
            except (InUseError, OSError):
                busy.append(name)
    for each in ("envs", "wheels", "aside"):
        _sweep(f"{root}/{each}")
    unlinked = _unlink(root) if any(freed.values()) else 0
    for name in [name for name, size in freed.items() if size][:1]:
        freed[name] += unlinked
    return {"freed": freed, "busy": busy}


@contextmanager
def cache(root: str, *, alone: bool = False) -> Iterator[bool]:
    """Files of the cache stay while the block runs; `alone` does not wait, and yields whether nobody else uses them."""
    try:
        # What uv keeps is nobody else's, and it leaves files in there that everybody may write to.
        os.makedirs(f"{root}/cache", mode=0o700, exist_ok=True)  # noqa: PTH103 - os calls throughout, as in the rest
        os.chmod(f"{root}/cache", 0o700)  # noqa: PTH101
        fd = os.open(f"{root}/cache.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError as error:
        owner = os.stat(root).st_uid  # noqa: PTH116
        raise OutageError(
            f"{root} belongs to uid {owner}, and uid {os.getuid()} writes there: remove the volume, it is made again"
        ) from error
    try:
        try:
            lock(fd, alone=alone, wait=not alone)
        except (InUseError, OSError):
            free = False
        else:
            free = True
        yield free
    finally:
        os.close(fd)
        with suppress(OSError):  # uv's own, which it opens for everybody
            os.chmod(f"{root}/python/.lock", 0o644)  # noqa: PTH101


def _delete(folder: str) -> int:
    """Bytes freed; renamed first, so that nothing half deleted is ever taken for an environment."""
    held = alone(folder)
    if held is None:
        return 0
    try:
        aside = f"{folder}.{os.urandom(8).hex()}"
        os.rename(folder, aside)  # noqa: PTH104
        size = _last_bytes(aside)
        shutil.rmtree(aside, ignore_errors=True)
        return size
    finally:
        os.close(held)


def _last_bytes(folder: str) -> int:
    """Bytes of the files that nobody else has."""
    total = 0
    for where, _, files in os.walk(folder):
        for name in files:
            found = os.lstat(f"{where}/{name}")
            total += found.st_size if found.st_nlink == 1 else 0
    return total


def _sweep(folder: str) -> None:
    """Remove what was being built or deleted when its process was killed, long ago."""
    before = time.time() - _ABANDONED_S
    with os.scandir(folder) if os.path.isdir(folder) else _nothing() as entries:  # noqa: PTH112
        old = [each.path for each in entries if "." in each.name and each.stat(follow_symlinks=False).st_mtime < before]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _nothing() -> Iterator[Iterator[os.DirEntry[str]]]:
    yield iter(())


def _unlink(root: str) -> int:
    """Bytes of unpacked wheels that no environment has any more, removed unless somebody installs right now."""
    archives, total = f"{root}/cache/archive-v0", 0
    with cache(root, alone=True) as free:
        if not free or not os.path.isdir(archives):  # noqa: PTH112
            return 0
        for name in os.listdir(archives):  # noqa: PTH208
            path = f"{archives}/{name}"
            if not _is_linked(path):
                total += _last_bytes(path)
                shutil.rmtree(path, ignore_errors=True)
        total += sweep(root)
    return total


def _is_linked(folder: str) -> bool:
    return any(os.lstat(f"{where}/{name}").st_nlink > 1 for where, _, files in os.walk(folder) for name in files)

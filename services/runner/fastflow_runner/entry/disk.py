"""What a run holds on the disk: measured by the one who runs it, a few times a second at most, and held to its limit.

The engine's own limit needs a file system that most machines do not have. What the files of a folder take is counted as
the disk does, in blocks, and with them what was deleted and is still open. Whatever a script hides from that (a closed
folder, a path that is too long, a process that nobody may look into) it is charged for with all that the disk has lost
since the run began.
"""

import os
import stat
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

RESERVE_BYTES = 1 << 30
"""No run is started into the last of a disk: others, the log among them, may live on it."""
_RESERVE_SHARE = 20
"""Of a small disk, only this part of it."""
_LOOK_S = 0.5
_PAUSE_S = 2.0
_DUTY = 50
"""It pauses so many times as long as it measured."""
_BLOCK_BYTES = 512  # st_blocks, whatever the file system has
_PROC = "/proc"


def free_bytes(folder: str) -> int | None:
    """What is free for runs on the disk of a folder; None where nobody knows."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize


def is_too_full(folder: str) -> str:
    """Why nothing may be started that writes there, in words; empty when it may."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return ""
    reserve = min(RESERVE_BYTES, disk.f_blocks * disk.f_frsize // _RESERVE_SHARE)
    free = disk.f_bavail * disk.f_frsize
    if free >= reserve:
        return ""
    return f"no space left on device that runs may fill: {free >> 20} MiB are free, and {reserve >> 20} MiB stay so"


def limit_of(folder: str, most_bytes: int | None, share: int) -> int:
    """How much a run may hold, as it begins: what was said, else that part of what is free; 0 is no limit."""
    if most_bytes is not None:
        return most_bytes
    free = free_bytes(folder)
    return free // share if free and share else 0


class Holding:
    """Measures what a run holds; `contained` when all other processes there are are the run's."""

    def __init__(self, folder: str, cache: str, *, contained: bool, ours: Collection[int] = ()) -> None:
        """`folder` is the run's own; of `cache`, which outlives it and may be the same, only what is added counts.

        `ours` are processes that it did not start.
        """
        self._folder = folder
        self._cache = cache
        self._contained = contained
        self._ours = {str(pid) for pid in (os.getpid(), *ours)}
        self._device = os.stat(folder).st_dev  # noqa: PTH116 - pathlib costs start-up time
        self._cached_before: int | None = None
        self._free_before = free_bytes(folder)

    def measure(self) -> int:
        """Bytes that it holds now."""
        held, hides = (0, False) if self._cache == self._folder else _taken(self._folder, self._device)
        if self._cache:
            cached, hides_more = _taken(self._cache, self._device)
            if self._cached_before is None:
                self._cached_before = cached
            held, hides = held + max(cached - self._cached_before, 0), hides or hides_more
        if self._contained:
            deleted, hides_more = _deleted(self._device, self._ours)
            held, hides = held + deleted, hides or hides_more
        free = free_bytes(self._folder)
        if hides and free is not None and self._free_before is not None:
            held = max(held, self._free_before - free)
        return held

    def watch(self, limit: int, exceeded: Callable[[int], object]) -> None:
        """Measure until more is held than the limit, and say how much; for a thread of its own."""
        held = 0
        while held <= limit:
            try:
                held = self._measured_next(limit)
            except OSError:
                time.sleep(_PAUSE_S)
        exceeded(held)

    def _measured_next(self, limit: int) -> int:
        """The next measurement: sooner when the disk has lost so much that the limit may have been passed."""
        began = time.monotonic()
        held = self.measure()
        due = time.monotonic() + max(_PAUSE_S, _DUTY * (time.monotonic() - began))
        free = free_bytes(self._folder)
        while held <= limit and time.monotonic() < due:
            time.sleep(_LOOK_S)
            now = free_bytes(self._folder)
            if free is not None and now is not None and free - now > (limit - held) // 2:
                break
        return held


def _taken(folder: str, device: int) -> tuple[int, bool]:
    """Bytes of all that is below a folder on this device, and whether something could not be looked at."""
    total, hides, linked, folders = 0, False, set(), [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        about = entry.stat(follow_symlinks=False)
                        if about.st_dev != device:
                            continue
                        if stat.S_ISDIR(about.st_mode):
                            folders.append(entry.path)
                        elif about.st_nlink > 1:
                            if about.st_ino in linked:
                                continue
                            linked.add(about.st_ino)
                        total += about.st_blocks * _BLOCK_BYTES
        except FileNotFoundError:
            continue
        except OSError:
            hides = True
    return total, hides


def _deleted(device: int, ours: Collection[str]) -> tuple[int, bool]:
    """Bytes of files that have no name any more and are still open, and whether a process could not be looked into."""
    found: dict[int, int] = {}
    hides = False
    for process in _processes(ours):
        try:
            for name in os.listdir(f"{_PROC}/{process}/fd"):  # noqa: PTH208
                with suppress(FileNotFoundError):
                    about = os.stat(f"{_PROC}/{process}/fd/{name}")  # noqa: PTH116
                    if about.st_dev == device and not about.st_nlink and stat.S_ISREG(about.st_mode):
                        found[about.st_ino] = about.st_blocks * _BLOCK_BYTES
            hides = hides or _maps_deleted(process, device, found)
        except (FileNotFoundError, ProcessLookupError):
            continue
        except OSError:
            hides = True
    return sum(found.values()), hides


def _maps_deleted(process: str, device: int, known: dict[int, int]) -> bool:
    """Whether a process has a file in its memory that has no name any more, and that it has not open."""
    word = b"%02x:%02x" % (os.major(device), os.minor(device))
    with open(f"{_PROC}/{process}/maps", "rb") as maps:  # noqa: PTH123
        for line in maps:
            if line.endswith(b" (deleted)\n"):
                fields = line.split(None, 5)
                if fields[3] == word and int(fields[4]) not in known:
                    return True
    return False


def _processes(ours: Collection[str]) -> Iterator[str]:
    return (name for name in os.listdir(_PROC) if name.isdigit() and name not in ours)  # noqa: PTH208

"""What a script leaves behind: its route, its result and its artifacts; read once nothing of it runs any more.

Whatever it put there is not trusted: links are not followed, pipes not waited for, sizes not believed.
"""

import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress

from fastflow_runner.entry.patterns import MOST, matching

ROUTE_BYTES = 1024
RESULT_BYTES = 32_768
PROGRESS_BYTES = 16_384
PATH_BYTES = 1024
"""Longest path of an artifact."""
PATHS_BYTES = 49_152
"""All their paths together, as they are written down; and as much again for those that are not kept, and why."""
_TO_LOOK = 0o700
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_route(path: str) -> tuple[str | None, str]:
    """What the script wrote into the route file, without blanks around it, and why it cannot be taken."""
    data, why = _read(path, ROUTE_BYTES)
    return (data or b"").decode("utf-8", "replace").strip() or None, why


def read_result(path: str) -> tuple[str | None, str]:
    """What the script wrote into the result file, and why it cannot be taken; nothing and "" without a file."""
    data, why = _read(path, RESULT_BYTES)
    if data is None:
        return None, why
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return None, "it is not UTF-8"


def _read(path: str, limit: int) -> tuple[bytes | None, str]:
    """A file that the script may have left, and why it cannot be taken; nothing and "" without one."""
    data = head(path, limit + 1)
    if data is None:
        return None, "it is no readable file" if os.path.lexists(path) else ""
    return (None, f"it is larger than {limit} bytes") if len(data) > limit else (data, "")


def read_progress(path: str) -> str | None:
    """What the driver of a notebook wrote of its cells; None without it."""
    data = head(path, PROGRESS_BYTES + 1) if path else None
    return data.decode("ascii", "replace") if data and len(data) <= PROGRESS_BYTES else None


class Kept:
    """Artifacts, moved to where they get numbers instead of names; `files` says which number was which."""

    def __init__(self, target: str, *, count: int, file_bytes: int, total_bytes: int) -> None:
        """Keep at most `count` files of `file_bytes` each and `total_bytes` together, as `target/0`, `target/1` …."""
        self.files: list[tuple[str, int]] = []
        """Path and size, by number."""
        self.left: list[tuple[str, str]] = []
        """Path, and why it was not kept; where these are too many to be named, the last one says how many more."""
        self._target = target
        self._count, self._file_bytes, self._left_bytes = count, file_bytes, total_bytes
        self._words_left, self._reasons_left = PATHS_BYTES, PATHS_BYTES
        self._unnamed = 0
        self._moved: set[tuple[int, int]] = set()
        """Device and number of every file that was moved: another of its names has nothing left to move."""

    def take(self, folder: str, patterns: Sequence[str], *, below: str, leave_out: str) -> None:
        """Keep everything in `folder`, and what matches a pattern below `below`."""
        try:
            named: dict[str, str] = {}
            for name, path, why in _all(folder):
                if why:
                    self._leave(name, why)
                else:
                    named[name] = path
            if len(named) >= MOST:
                self._leave(folder, f"only {MOST} files are looked at")
            if patterns:
                self._open_folders(below, leave_out)
            for pattern in patterns:
                for path in matching(pattern, below):
                    if path.split("/", 1)[0] != leave_out:
                        named.setdefault(path, f"{below}/{path}")
            if named:
                if os.path.lexists(self._target):
                    os.rename(self._target, f"{self._target}.{os.urandom(8).hex()}")  # noqa: PTH104
                os.mkdir(self._target, 0o700)  # noqa: PTH102
        except (OSError, RecursionError, ValueError) as error:
            self._leave(folder, f"it cannot be read: {error}")
            return
        for path in sorted(named):
            self._take(path, named[path])
        if self._unnamed:
            self.left.append(("...", f"and {self._unnamed} more"))

    def _take(self, path: str, at: str) -> None:
        try:
            found = os.lstat(at)
            why = self._refusal(path, found)
            if not why:
                self._move(at, found, f"{self._target}/{len(self.files)}")
        except OSError as error:
            why = f"it cannot be read: {error}"
        if why:
            self._leave(path, why)
            return
        self.files.append((path, found.st_size))
        self._left_bytes -= found.st_size
        self._words_left -= len(json.dumps(path))

    def _open_folders(self, below: str, leave_out: str) -> None:
        """Let every folder be looked into; one that cannot is named: a pattern might have found files there."""
        for name, _, why in _all(below, leave_out=leave_out):
            if why:
                self._leave(name, why)

    def _leave(self, path: str, why: str) -> None:
        entry = os.fsencode(path).decode(errors="backslashreplace")[:PATH_BYTES], why[:PATH_BYTES]
        size = len(json.dumps(entry))
        if size > self._reasons_left or len(self.left) >= max(self._count, 1):
            self._unnamed += 1
        else:
            self._reasons_left -= size
            self.left.append(entry)

    def _refusal(self, path: str, found: os.stat_result) -> str:
        if not _is_text(path):
            return "its name is not UTF-8"
        if len(path.encode()) > PATH_BYTES:
            return f"its path is longer than {PATH_BYTES} bytes"
        if not stat.S_ISREG(found.st_mode):
            return "it is no regular file"
        if len(self.files) >= self._count:
            return f"there are more than {self._count}"
        if found.st_size > self._file_bytes:
            return f"it has {found.st_size} bytes, and one may have {self._file_bytes}"
        if found.st_size > self._left_bytes:
            return "all together are too large"
        return "the paths of all together are too long" if len(json.dumps(path)) > self._words_left else ""

    def _move(self, at: str, found: os.stat_result, to: str) -> None:
        # A name of its own, not the script's: whatever holds the old one cannot reach the new folder.
        identity = found.st_dev, found.st_ino
        try:
            if identity in self._moved:
                raise FileExistsError(at)
            os.rename(at, to)  # noqa: PTH104
            self._moved.add(identity)
        except OSError:
            # Another name of a file that was moved becomes a file of its own: archives have the content once only.
            shutil.copyfile(at, to, follow_symlinks=False)
        os.chmod(to, 0o600)  # noqa: PTH101


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def head(path: str, count: int, offset: int = 0) -> bytes | None:
    """Up to `count` bytes of a file; None when there is none, or it is something else than a plain file."""
    try:
        fd = os.open(path, _OPEN)
    except OSError:
        return None
    try:
        return os.pread(fd, count, offset) if stat.S_ISREG(os.fstat(fd).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(fd)


def _all(folder: str, *, leave_out: str = "") -> Iterator[tuple[str, str, str]]:
    """Name below `folder` and path of what in it is no folder, up to a limit; links to folders are not entered.

    A folder comes only where it cannot be looked into, with the reason; `folder` itself also where it became a link.
    """
    if os.path.islink(folder):  # noqa: PTH114
        yield folder, folder, "the script made a link of it"
        return
    waiting, found = [folder], 0
    while waiting and found < MOST:
        path = waiting.pop()
        _open_up(path)
        try:
            entries = os.scandir(path)
        except OSError as error:
            if os.path.lexists(path):
                yield path[len(folder) + 1 :] or path, path, f"it cannot be looked into: {error.strerror}"
            continue
        with entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if path != folder or entry.name != leave_out:
                        waiting.append(entry.path)
                else:
                    found += 1
                    yield entry.path[len(folder) + 1 :], entry.path, ""
                if found >= MOST:
                    break


def _open_up(folder: str) -> None:
    """Let it be looked into, whatever the script made of its mode: the script is over."""
    with suppress(OSError):
        found = os.lstat(folder)
        if stat.S_ISDIR(found.st_mode) and found.st_mode & _TO_LOOK != _TO_LOOK:
            os.chmod(folder, found.st_mode | _TO_LOOK)  # noqa: PTH101

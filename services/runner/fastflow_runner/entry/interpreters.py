"""Interpreters that uv has installed: sealed by who had them installed, and executed by nobody before they are checked.

What uv remembers of interpreters is forgotten, too: it names what is executed, and may have been written by anybody.
"""

import glob
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import rmtree

from fastflow_runner.entry.adopting import adopted
from fastflow_runner.entry.manifest import write
from fastflow_runner.entry.using import lock


class Interpreters:
    """Those in one folder, all of them checked."""

    def __init__(self, folder: str, key: bytes, digests: dict[str, str]) -> None:
        self._folder = os.path.realpath(folder)
        self._key = key
        self._digests = digests

    def sealed(self, interpreter: str) -> dict[str, str]:
        """The tree that it is in, and the hash of that one's manifest; nothing for one that is no concern of ours."""
        found = os.path.realpath(interpreter)
        if not found.startswith(f"{self._folder}/"):
            return {}
        name = found.removeprefix(f"{self._folder}/").partition("/")[0]
        tree = f"{self._folder}/{name}"
        if name not in self._digests:
            self._digests[name] = write(tree, self._key)  # it was not there before
        return {tree: self._digests[name]}


@contextmanager
def checked(folder: str, key: bytes, findings: list[str], *, installing: bool) -> Iterator[Interpreters]:
    """What is in the folder is as it was sealed, or is there no more; with `installing` nobody else looks meanwhile."""
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - os calls throughout, as in the rest of this program
    fd = os.open(f"{folder}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        lock(fd, alone=installing, wait=True)
        digests = {}
        for name in sorted(os.listdir(folder)):  # noqa: PTH208
            path = f"{folder}/{name}"
            if stat.S_ISDIR(os.lstat(path).st_mode) and not name.startswith(".") and not name.endswith(".spoiled"):
                digests[name] = adopted(path, key, findings)
        for name in os.listdir(folder):  # noqa: PTH208
            path = f"{folder}/{name}"
            if os.path.islink(path) and not digests.get(os.path.basename(os.path.realpath(path))):  # noqa: PTH114, PTH119
                os.unlink(path)  # noqa: PTH108
        yield Interpreters(folder, key, {name: digest for name, digest in digests.items() if digest})
    finally:
        os.close(fd)


def forget_known(cache: str) -> None:
    """Have uv ask each interpreter what it is."""
    for path in glob.glob(f"{cache}/interpreter-v*"):  # noqa: PTH207
        rmtree(path, ignore_errors=True)

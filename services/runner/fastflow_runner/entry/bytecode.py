"""Byte code shared like what it is made of: compiled for the first environment, linked into all others.

uv links into an environment whatever lies in the folder of an unpacked wheel, so that is where the byte code is laid.
"""

import glob
import os
from contextlib import suppress

_CACHE = "__pycache__"


def share(archives: str, packages: str) -> None:
    """Lay byte code of installed packages beside what they were linked from; `archives` has a folder for each wheel."""
    here = {_identity(path) for path in glob.glob(f"{packages}/*.dist-info/METADATA")}  # noqa: PTH207
    for path in glob.glob(f"{archives}/*/*.dist-info/METADATA"):  # noqa: PTH207
        if _identity(path) in here:
            _lay(path.rpartition("/")[0].rpartition("/")[0], packages)


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def _lay(archive: str, packages: str) -> None:
    for where, _, files in os.walk(archive):
        below = where.removeprefix(archive)
        cached = f"{packages}{below}/{_CACHE}"
        if not below.endswith(f"/{_CACHE}") and os.path.isdir(cached):  # noqa: PTH112 - os calls throughout
            modules = {name.removesuffix(".py") for name in files if name.endswith(".py")}
            compiled = [name for name in os.listdir(cached) if name.partition(".")[0] in modules]  # noqa: PTH208
            with suppress(OSError):  # it is made again where it cannot be had
                os.makedirs(f"{where}/{_CACHE}", exist_ok=True)  # noqa: PTH103
                for name in compiled:
                    with suppress(FileExistsError):
                        os.link(f"{cached}/{name}", f"{where}/{_CACHE}/{name}")

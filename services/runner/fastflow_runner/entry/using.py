"""Environments in use: whoever executes in one holds a lock on it, whoever deletes one needs it alone.

Readers can only share: in a container the volume is read-only, and nobody gets a lock of his own on a file that he
cannot write. So no script keeps others from starting, and none can be left without its packages.
"""

import fcntl
import os
import struct

_FILE = "pyvenv.cfg"
"""Each environment has one of its own."""
_SET = getattr(fcntl, "F_OFD_SETLK", 37)
_SET_WAIT = getattr(fcntl, "F_OFD_SETLKW", 38)


class InUseError(Exception):
    """Somebody else holds a lock that leaves no room for this one."""


def lock(fd: int, *, alone: bool, wait: bool = False) -> None:
    """Hold the file behind `fd` until that is closed, with others or alone.

    Raises:
        InUseError: others hold it; never with `wait`.
        OSError: the file system knows no locks.
    """
    kind = fcntl.F_WRLCK if alone else fcntl.F_RDLCK
    try:
        fcntl.fcntl(fd, _SET_WAIT if wait else _SET, struct.pack("hhqqi0q", kind, os.SEEK_SET, 0, 0, 0))
    except (BlockingIOError, PermissionError) as error:
        raise InUseError(str(error)) from error


def use(folder: str) -> int | None:
    """Keep the environment in `folder` from being deleted until the file that is returned is closed.

    None when there is none: the interpreter is the image's or the machine's own, which nobody deletes.

    Raises:
        InUseError: it is being deleted.
    """
    try:
        fd = os.open(f"{folder}/{_FILE}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        lock(fd, alone=False)
        held, there = os.fstat(fd), os.stat(f"{folder}/{_FILE}")  # noqa: PTH116 - pathlib costs start-up time
    except FileNotFoundError as error:
        os.close(fd)
        raise InUseError(f"{folder} was deleted just now") from error
    except InUseError:
        os.close(fd)
        raise
    except OSError:
        # A file system without locks: nothing is deleted there either.
        os.close(fd)
        return None
    if (held.st_dev, held.st_ino) != (there.st_dev, there.st_ino):
        os.close(fd)
        raise InUseError(f"{folder} was made anew just now")
    return fd


def alone(folder: str) -> int | None:
    """The same for who wants to delete it; None when it is not there.

    Raises:
        InUseError: somebody executes in it.
    """
    try:
        fd = os.open(f"{folder}/{_FILE}", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        lock(fd, alone=True)
    except BaseException:
        os.close(fd)
        raise
    return fd

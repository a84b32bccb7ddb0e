"""A small disk of a test's own: an ext4 on a loop device, which may be filled and whose power may be cut.

It needs root and loop devices.
"""

import array
import errno
import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fastflow_events.testing.left_behind import left_behind

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32) in the kernel's fs/ext4/ext4.h
_NO_LOG_FLUSH = 2  # EXT4_GOING_FLAGS_NOLOGFLUSH: nothing more is written, the journal neither
_PREFIX = "ff-disk-"
_MIB = 1 << 20


class OwnDisk:
    """One disk; what was written to it and synced outlives `cut`."""

    def __init__(self, folder: Path, size_mb: int) -> None:
        """`folder` is the disk's own."""
        self.root = folder / "mounted"
        self._folder = folder
        self._image = folder / "image"
        self.root.mkdir(parents=True, mode=0o711)
        with self._image.open("wb") as file:
            file.truncate(size_mb * _MIB)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))

    def mount(self) -> None:
        """Put it in its place; what a cut left half done is made good from the journal."""
        _run("mount", "-o", "loop", "-t", "ext4", str(self._image), str(self.root))

    def cut(self) -> None:
        """Lose everything that was not synced, from now on: what a power cut does; the disk is dead until `remount`."""
        handle = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, array.array("I", [_NO_LOG_FLUSH]))
        finally:
            os.close(handle)

    def remount(self) -> None:
        """Power is back; whoever has files open on the dead disk keeps that one."""
        # A copy, because any container that is started meanwhile holds the dead one for a moment.
        _run("umount", "--lazy", str(self.root))
        survived = self._folder / f"image-{secrets.token_hex(2)}"
        _run("cp", "--sparse=always", str(self._image), str(survived))
        self._image.unlink()
        self._image = survived
        self.mount()

    def fill(self, *, but_mb: int = 0) -> Path:
        """Leave no more room on it than this; removing the file that is returned makes room again."""
        hog = self.root / "hog"
        with hog.open("wb") as file:
            free = shutil.disk_usage(self.root).free - but_mb * _MIB
            os.posix_fallocate(file.fileno(), 0, free - _MIB)
            if not but_mb:
                _write_until_full(file.fileno())
        return hog


@contextmanager
def own_disk(*, size_mb: int) -> Iterator[OwnDisk]:
    """A mounted disk, gone after the block.

    Raises:
        FileNotFoundError: this machine cannot have one.
    """
    if os.geteuid() != 0 or shutil.which("mkfs.ext4", path="/usr/sbin:/sbin") is None:
        raise FileNotFoundError("a disk of the test's own needs root and mkfs.ext4")
    for left in left_behind(_PREFIX):
        _destroy(left)
    # Named after this process, so that a later one knows what a killed one has left.
    folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        disk = OwnDisk(folder, size_mb)
        try:
            disk.mount()
        except subprocess.CalledProcessError as exc:
            words = exc.stderr.decode(errors="replace").strip()
            raise FileNotFoundError(f"a disk of the test's own needs loop devices and ext4: {words}") from exc
        yield disk
    finally:
        _destroy(folder)


def _write_until_full(handle: int) -> None:
    os.lseek(handle, 0, os.SEEK_END)
    try:
        while True:
            os.write(handle, bytes(4096))
            os.fsync(handle)
    except OSError as exc:
        if exc.errno != errno.ENOSPC:
            raise


def _run(*command: str) -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PATH": path})


def _destroy(folder: Path) -> None:
    with suppress(subprocess.CalledProcessError):
        _run("umount", "--lazy", str(folder / "mounted"))
    shutil.rmtree(folder, ignore_errors=True)

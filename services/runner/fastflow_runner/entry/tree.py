"""Copying a staged folder into the run's own, writable one."""

import os

_CHUNK_BYTES = 1 << 20


def copy_whole(source: str, target: str, *, leave_out: str) -> None:
    """Copy what lies below `source`, all of it.

    Raises:
        FileNotFoundError: it is not there, or did not stay there; what was copied is not complete then.
    """
    before = os.stat(source)  # noqa: PTH116 - pathlib costs start-up time
    copy_tree(source, target, leave_out=leave_out)
    now = os.stat(source)  # noqa: PTH116
    # A folder is renamed before anything in it is deleted: the same folder at the end was whole all the time.
    if (before.st_dev, before.st_ino, before.st_mtime_ns) != (now.st_dev, now.st_ino, now.st_mtime_ns):
        raise FileNotFoundError(f"{source} was made anew just now")


def copy_tree(source: str, target: str, *, leave_out: str) -> None:
    """Copy files, folders and symbolic links below `source`; execute bits are kept, everything is writable.

    `leave_out` is a name that is not copied at the top.
    """
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name == leave_out:
                continue
            to = f"{target}/{entry.name}"
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), to)  # noqa: PTH115, PTH211
            elif entry.is_dir():
                os.mkdir(to, 0o755)  # noqa: PTH102
                copy_tree(entry.path, to, leave_out="")
            else:
                _copy_file(entry.path, to)


def _copy_file(source: str, target: str) -> None:
    read = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        mode = 0o755 if os.fstat(read).st_mode & 0o100 else 0o644
        write = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            while data := os.read(read, _CHUNK_BYTES):
                view = memoryview(data)
                while view:
                    view = view[os.write(write, view) :]
        finally:
            os.close(write)
    finally:
        os.close(read)

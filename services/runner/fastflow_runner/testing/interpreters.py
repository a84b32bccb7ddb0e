"""A second interpreter in the shape in which uv keeps those it installs, for machines that cannot download one."""

import io
import os
import shutil
import subprocess
import sysconfig
import tarfile
from pathlib import Path

from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.tree_orders import seal_key
from fastflow_runner.entry.manifest import write

WANTED = "3.12"
_INSTANT = 1_700_000_000
_LEFT_OUT = shutil.ignore_patterns(
    "test", "tests", "__pycache__", "site-packages", "*.a", "idlelib", "tkinter", "share"
)


def other_interpreter() -> Path | None:
    """Folder of a Python 3.12 that may be copied, or None."""
    homes = Path.home() / ".pyenv/versions"
    found = sorted(homes.glob(f"{WANTED}.*")) if homes.is_dir() else []
    return found[-1] if found and (found[-1] / f"bin/python{WANTED}").exists() else None


def copy_into(source: Path, pythons: Path, key: bytes) -> None:
    """Lay it into uv's folder of interpreters, sealed as the runner does that has this key."""
    target = pythons / f"cpython-{source.name}-{sysconfig.get_platform()}-gnu"
    shutil.copytree(source, target, symlinks=True, ignore=_LEFT_OUT)
    binary, home = target / f"bin/python{WANTED}", f"{source}/lib".encode()
    # Where it looks for its own library is written in it; nobody else has it there.
    binary.write_bytes(binary.read_bytes().replace(home + b"\0", b"$ORIGIN/../lib".ljust(len(home), b"\0") + b"\0"))
    _set_back(target)  # before it is compiled: byte code names the time of its source
    library = target / f"lib/python{WANTED}"
    subprocess.run([binary, "-I", "-S", "-m", "compileall", "-qq", "-j", "0", library], check=True)
    _set_back(target)
    write(str(target), bytes.fromhex(seal_key(key)))


def _set_back(folder: Path) -> None:
    """Give everything one whole second: no archive keeps a part of one for certain."""
    for path in folder.rglob("*"):
        os.utime(path, (_INSTANT, _INSTANT), follow_symlinks=False)


def archive(folder: Path) -> bytes:
    """The folder's content as a tar archive that belongs to who writes the shared volume."""
    buffer, writer = io.BytesIO(), Deployment(installation="0" * 8).writer

    def owned(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = writer
        return member

    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(folder, ".", filter=owned)
    return buffer.getvalue()

"""A second interpreter in the shape in which uv keeps those it installs, for machines that cannot download one."""

import io
import shutil
import sysconfig
import tarfile
from pathlib import Path

from fastflow_runner.core.container_spec import RUN_UID

WANTED = "3.12"
_LEFT_OUT = shutil.ignore_patterns(
    "test", "tests", "__pycache__", "site-packages", "*.a", "idlelib", "tkinter", "share"
)


def other_interpreter() -> Path | None:
    """Folder of a Python 3.12 that may be copied, or None."""
    homes = Path.home() / ".pyenv/versions"
    found = sorted(homes.glob(f"{WANTED}.*")) if homes.is_dir() else []
    return found[-1] if found and (found[-1] / f"bin/python{WANTED}").exists() else None


def copy_into(source: Path, pythons: Path) -> None:
    """Lay it into uv's folder of interpreters."""
    target = pythons / f"cpython-{source.name}-{sysconfig.get_platform()}-gnu"
    shutil.copytree(source, target, symlinks=True, ignore=_LEFT_OUT)
    binary, home = target / f"bin/python{WANTED}", f"{source}/lib".encode()
    # Where it looks for its own library is written in it; nobody else has it there.
    binary.write_bytes(binary.read_bytes().replace(home + b"\0", b"$ORIGIN/../lib".ljust(len(home), b"\0") + b"\0"))


def archive(folder: Path) -> bytes:
    """The folder's content as a tar archive that belongs to the worker."""
    buffer = io.BytesIO()

    def owned(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = RUN_UID
        return member

    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(folder, ".", filter=owned)
    return buffer.getvalue()

"""Mode `stage`: unpack code under a name nobody can guess, completely or not at all; or delete such code."""

import json
import os
import shutil
import sys
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Protocol

from fastflow_runner.entry.adopting import adopted
from fastflow_runner.entry.codes import OUTAGE, REFUSED
from fastflow_runner.entry.manifest import FOLDER, write
from fastflow_runner.entry.sealed import SealedFile, UnsealedError, read_sealed

_ORDER_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_HIDDEN = 0o711
"""Mode of the folder of all code: others enter it, and cannot list it."""


class UnsafeArchiveError(Exception):
    """A member would leave the folder, or is no file, folder or symbolic link."""


def check_path(name: str, links: set[str]) -> str:
    """The member's path below the folder, in its shortest form.

    Raises:
        UnsafeArchiveError: it is absolute, has `..` in it, or lies behind a symbolic link.
    """
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise UnsafeArchiveError(f"{name!r} leaves the folder")
    if any("/".join(parts[:depth]) in links for depth in range(1, len(parts))):
        raise UnsafeArchiveError(f"{name!r} lies behind a symbolic link")
    return "/".join(parts)


def check_link(path: str, target: str) -> None:
    """Nothing, when the symbolic link at `path` stays inside.

    `..` is allowed in front only: behind a name it would depend on what other links that name leads through.

    Raises:
        UnsafeArchiveError: the link may lead out of the folder.
    """
    parts = [part for part in target.split("/") if part not in {"", "."}]
    up = next((depth for depth, part in enumerate(parts) if part != ".."), len(parts))
    if target.startswith("/") or ".." in parts[up:] or up > path.count("/") or "\0" in target:
        raise UnsafeArchiveError(f"the symbolic link {path!r} leads out of the folder")


class Archive(Protocol):
    """A tar as it arrives."""

    def read(self, size: int = -1, /) -> bytes:
        """Its next bytes."""


def unpack(archive: Archive, folder: str) -> None:
    """Create `folder` with the archive's files, folders and symbolic links, all of them durable.

    Raises:
        UnsafeArchiveError: some member must not be unpacked.
    """
    os.mkdir(folder, 0o755)  # noqa: PTH102 - os calls throughout, as in the rest of this program
    links: set[str] = set()
    with tarfile.open(fileobj=archive, mode="r|") as tar:  # type: ignore[call-overload]
        for member in tar:
            path = check_path(member.name, links)
            if path.partition("/")[0] == FOLDER:
                continue  # no run is given it
            target = f"{folder}/{path}"
            if path and not member.isdir():
                os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
            if member.isdir():
                os.makedirs(target, exist_ok=True)  # noqa: PTH103
            elif member.issym():
                check_link(path, member.linkname)
                os.symlink(member.linkname, target)  # noqa: PTH211
                links.add(path)
            elif member.isreg():
                _write(target, tar.extractfile(member), 0o755 if member.mode & 0o100 else 0o644)
            else:
                raise UnsafeArchiveError(f"{member.name!r} is no file, folder or symbolic link")


def _write(path: str, source: IO[bytes] | None, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(fd, "wb") as file:  # noqa: PTH123
        while source and (data := source.read(_CHUNK_BYTES)):
            file.write(data)
        file.flush()
        os.fsync(fd)


def delete(folders: Sequence[str]) -> None:
    """Remove staged code; renamed first, by which whoever copies it meanwhile notices. See `tree.copy_whole`."""
    for folder in folders:
        aside = f"{folder}.gone"  # always the same name: what a killed deletion left is found by the next one
        shutil.rmtree(aside, ignore_errors=True)
        with suppress(FileNotFoundError):
            os.rename(folder, aside)  # noqa: PTH104
        for each in (aside, f"{folder}.spoiled"):
            shutil.rmtree(each, ignore_errors=True)


def stage(target: str, key: bytes, findings: list[str]) -> str:
    """Have what comes over standard input at `target`; hash of its manifest; what was spoiled there is in `findings`.

    Raises:
        UnsealedError: it did not arrive as it was sent.
        UnsafeArchiveError: it must not be unpacked.
    """
    parent = os.path.dirname(target)  # noqa: PTH120
    os.makedirs(parent, mode=_HIDDEN, exist_ok=True)  # noqa: PTH103
    if digest := adopted(target, key, findings):
        return digest
    archive = SealedFile(0)
    temporary = f"{target}.{os.urandom(8).hex()}"
    try:
        try:
            unpack(archive, temporary)
        finally:
            archive.check()  # what was damaged on its way is no judgement on the archive
        digest = write(temporary, key, name=os.path.basename(target))  # noqa: PTH119
        os.rename(temporary, target)  # noqa: PTH104
    except OSError:
        # Somebody else was faster; whatever lies there is looked at.
        if not (digest := adopted(target, key, findings)):
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return digest


def main() -> int:
    """0 when the code is there, whoever put it there, or deleted; 3 when it must not be; 4 when the order was cut."""
    try:
        order = json.loads(read_sealed(0, _ORDER_BYTES))
        if "delete" in order:
            delete(order["delete"])
            return 0
        findings: list[str] = []
        digest = stage(order["target"], bytes.fromhex(order["key"]), findings)
        sys.stdout.write(json.dumps({"sealed": {order["target"]: digest}, "spoiled": findings}) + "\n")
    except (UnsealedError, PermissionError) as error:
        sys.stderr.write(f"{error}\n")
        return OUTAGE
    except (UnsafeArchiveError, tarfile.TarError, FileExistsError, NotADirectoryError) as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    return 0

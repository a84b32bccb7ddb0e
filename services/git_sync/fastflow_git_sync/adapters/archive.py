"""A Git tree as a tar.zst: the same tree gives the same bytes."""

import tarfile
from collections.abc import Callable, Sequence
from typing import BinaryIO, cast

import zstandard
from fastflow_rules.folder import Entry

from fastflow_git_sync.adapters.objects import Reader

LEVEL = 3


def write_archive(entries: Sequence[Entry], opened: Callable[[str], Reader], file: BinaryIO) -> None:
    """Write the entries, in their order, with folders before what they hold; submodules become empty folders."""
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    with (
        compressor.stream_writer(file, closefd=False) as out,
        tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, errors="surrogateescape") as tar,
    ):
        folders: set[str] = set()
        for entry in entries:
            _add_parents(tar, entry.path, folders)
            _add(tar, entry, opened)


def _add_parents(tar: tarfile.TarFile, path: str, folders: set[str]) -> None:
    parts = path.split("/")[:-1]
    for n in range(1, len(parts) + 1):
        folder = "/".join(parts[:n])
        if folder not in folders:
            folders.add(folder)
            tar.addfile(_member(folder, tarfile.DIRTYPE, 0o755))


def _add(tar: tarfile.TarFile, entry: Entry, opened: Callable[[str], Reader]) -> None:
    if entry.is_submodule:
        tar.addfile(_member(entry.path, tarfile.DIRTYPE, 0o755))
    elif entry.is_link:
        member = _member(entry.path, tarfile.SYMTYPE, 0o777)
        member.linkname = opened(entry.oid).read(entry.size).decode("utf-8", "surrogateescape")
        tar.addfile(member)
    else:
        member = _member(entry.path, tarfile.REGTYPE, 0o755 if entry.mode == "100755" else 0o644)
        member.size = entry.size
        tar.addfile(member, cast("BinaryIO", opened(entry.oid)))


def _member(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    """Owner, group and time say nothing, so they are nothing."""
    member = tarfile.TarInfo(path)
    member.type, member.mode, member.mtime, member.uid, member.gid = kind, mode, 0, 0, 0
    return member

"""The code of runs, out of the object store."""

import asyncio
import hashlib
import tarfile
from collections.abc import AsyncIterator, Callable, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, TypeVar

import zstandard
from fastflow_events.nats.bundles import BundleDamagedError, BundleMissingError, StoredBundle, chunks_of, find_bundle
from nats.aio.client import Client

from fastflow_gateway.core.changes.files import Content
from fastflow_gateway.core.refusals import CodeDamaged, CodeGone
from fastflow_gateway.ports import CodeFile

T = TypeVar("T")
ONE_TEXT, ALL_TEXT = 200_000, 8_000_000
"""Bytes of one file that is kept as text, and of all of them."""
_PIECE = 1 << 16
IN_MEMORY = 8_000_000
"""Bytes of a bundle; a larger one is laid down on disk while it is read."""


class BundleCode:
    """`Code` on the bucket `fastflow-code`."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def files(self, tree: str) -> list[CodeFile]:
        """Every file of a bundle."""
        return await self._read(tree, lambda tar: [_shown(member) for member in tar if not member.isdir()])

    async def file(self, tree: str, path: str) -> bytes | None:
        """The content of one regular file."""

        def found(tar: tarfile.TarFile) -> bytes | None:
            for member in tar:
                if member.name == path and member.isreg():
                    content = tar.extractfile(member)
                    return content.read() if content else None
            return None

        return await self._read(tree, found)

    async def contents(self, tree: str) -> Mapping[str, Content]:
        """Every file by its path; what is text and not too long with it."""
        return await self._read(tree, _contents)

    async def archive(self, tree: str) -> tuple[int, AsyncIterator[bytes]]:
        """Size and bytes of the bundle."""
        bundle = await self._find(tree)
        return bundle.size_bytes, chunks_of(self._nc, bundle)

    async def _find(self, tree: str) -> StoredBundle:
        bundle = await find_bundle(self._nc, tree)
        if bundle is None:
            raise BundleMissingError(CodeGone(), tree=tree)
        return bundle

    async def _read(self, tree: str, look: Callable[[tarfile.TarFile], T]) -> T:
        """Read the whole bundle, verify it, and look into it in a thread."""
        bundle = await self._find(tree)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            async for chunk in chunks_of(self._nc, bundle):
                file.write(chunk)
            file.seek(0)
            try:
                return await asyncio.to_thread(_walk, file, look)
            except (tarfile.TarError, zstandard.ZstdError) as exc:
                raise BundleDamagedError(CodeDamaged(), tree=tree) from exc


def _walk(file: IO[bytes], look: Callable[[tarfile.TarFile], T]) -> T:
    with (
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|", errors="surrogateescape") as tar,
    ):
        return look(tar)


def _contents(tar: tarfile.TarFile) -> dict[str, Content]:
    found, room = {}, ALL_TEXT
    for member in tar:
        if member.isdir():
            continue
        shown = _shown(member)
        digest, text = hashlib.sha256(shown.target.encode("utf-8", "surrogateescape")), None
        if content := tar.extractfile(member) if member.isreg() else None:
            pieces = []
            while piece := content.read(_PIECE):
                digest.update(piece)
                if member.size <= min(ONE_TEXT, room):
                    pieces.append(piece)
            text = _text(b"".join(pieces)) if member.size <= min(ONE_TEXT, room) else None
            room -= len(text or "")
        found[member.name] = Content(kind=shown.kind, size=shown.size, digest=digest.digest(), text=text)
    return found


def _text(data: bytes) -> str | None:
    try:
        return data.decode() if b"\0" not in data else None
    except UnicodeDecodeError:
        return None


def _shown(member: tarfile.TarInfo) -> CodeFile:
    if member.issym():
        return CodeFile(member.name, 0, "link", member.linkname)
    return CodeFile(member.name, member.size, "executable" if member.mode & 0o100 else "file")

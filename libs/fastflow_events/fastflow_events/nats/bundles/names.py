"""How a bundle is called in the object store, and how it is described there."""

import re
from datetime import datetime

import msgspec
from msgspec import Struct

from fastflow_events.nats import objects
from fastflow_events.nats.objects import Content, ObjectInfo
from fastflow_events.nats.topology import CODE_BUCKET

ALL_META = f"$O.{CODE_BUCKET}.M.*"
ALL_CHUNKS = f"$O.{CODE_BUCKET}.C.*"
_TREE = re.compile(r"[0-9a-f]{40,64}")


class StoredBundle(Struct, frozen=True, kw_only=True):
    """A bundle that is in the object store completely."""

    tree: str
    sha256: str
    """Of the compressed bytes, hex."""
    size_bytes: int
    chunks: int
    nuid: str
    """Names the chunks."""
    seq: int = 0
    """Position of its description."""
    described_at: datetime | None = None
    """When it was described last; known to who lists all bundles."""


def meta_subject(tree: str) -> str:
    """Where the bundle of a tree is described.

    Raises:
        ValueError: not a tree id.
    """
    if not _TREE.fullmatch(tree):
        raise ValueError("not a tree id")
    return objects.meta_subject(CODE_BUCKET, tree)


def chunk_subject(nuid: str) -> str:
    """Where the chunks of an object are."""
    return objects.chunk_subject(CODE_BUCKET, nuid)


def content_of(bundle: StoredBundle) -> Content:
    """What its chunks are."""
    return Content(nuid=bundle.nuid, sha256=bundle.sha256, size_bytes=bundle.size_bytes, chunks=bundle.chunks)


def encode_info(bundle: StoredBundle, mtime: str) -> bytes:
    """Return the stored description."""
    return objects.describe(CODE_BUCKET, bundle.tree, content_of(bundle), mtime)


def deleted_info(tree: str, mtime: str) -> bytes:
    """Return the description of an object that was deleted."""
    return msgspec.json.encode(ObjectInfo(name=tree, bucket=CODE_BUCKET, mtime=mtime, deleted=True))


def decode_info(data: bytes, seq: int) -> StoredBundle | None:
    """Read a stored description; None when the object was deleted.

    Raises:
        msgspec.ValidationError: this describes no object.
    """
    info = msgspec.json.decode(data, type=ObjectInfo)
    if info.deleted:
        return None
    return StoredBundle(
        tree=info.name, sha256=info.sha256, size_bytes=info.size, chunks=info.chunks, nuid=info.nuid, seq=seq
    )

"""How an object lies in its stream, as every NATS client reads it.

```
$O.fastflow-code.M.<base64url of the tree id>   the newest message describes the object
$O.fastflow-code.C.<nuid>                       its chunks, in order
```
Source: ADR-20 of nats-io/nats-architecture-and-design.
"""

import base64
import re
from datetime import datetime

import msgspec
from msgspec import Struct

from fastflow_events.topology import CODE_BUCKET

CHUNK_BYTES = 128 * 1024
ALL_META = f"$O.{CODE_BUCKET}.M.*"
ALL_CHUNKS = f"$O.{CODE_BUCKET}.C.*"
_TREE = re.compile(r"[0-9a-f]{40,64}")
_DIGEST = "SHA-256="


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


class _Options(Struct, frozen=True):
    max_chunk_size: int = CHUNK_BYTES


class _Info(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The description as it is stored."""

    name: str
    bucket: str
    nuid: str = ""
    size: int = 0
    chunks: int = 0
    digest: str = ""
    mtime: str = ""
    deleted: bool = False
    options: _Options = msgspec.field(default_factory=_Options)


def meta_subject(tree: str) -> str:
    """Where the bundle of a tree is described.

    Raises:
        ValueError: not a tree id.
    """
    if not _TREE.fullmatch(tree):
        raise ValueError("not a tree id")
    return f"$O.{CODE_BUCKET}.M.{base64.urlsafe_b64encode(tree.encode()).decode()}"


def chunk_subject(nuid: str) -> str:
    """Where the chunks of an object are."""
    return f"$O.{CODE_BUCKET}.C.{nuid}"


def encode_info(bundle: StoredBundle, mtime: str) -> bytes:
    """Return the stored description."""
    digest = _DIGEST + base64.urlsafe_b64encode(bytes.fromhex(bundle.sha256)).decode()
    info = _Info(
        name=bundle.tree,
        bucket=CODE_BUCKET,
        nuid=bundle.nuid,
        size=bundle.size_bytes,
        chunks=bundle.chunks,
        digest=digest,
        mtime=mtime,
    )
    return msgspec.json.encode(info)


def deleted_info(tree: str, mtime: str) -> bytes:
    """Return the description of an object that was deleted."""
    return msgspec.json.encode(_Info(name=tree, bucket=CODE_BUCKET, mtime=mtime, deleted=True))


def decode_info(data: bytes, seq: int) -> StoredBundle | None:
    """Read a stored description; None when the object was deleted.

    Raises:
        msgspec.ValidationError: this describes no object.
    """
    info = msgspec.json.decode(data, type=_Info)
    if info.deleted:
        return None
    try:
        sha256 = base64.urlsafe_b64decode(info.digest.removeprefix(_DIGEST)).hex()
    except ValueError as exc:
        raise msgspec.ValidationError("the digest is not base64url") from exc
    return StoredBundle(
        tree=info.name, sha256=sha256, size_bytes=info.size, chunks=info.chunks, nuid=info.nuid, seq=seq
    )

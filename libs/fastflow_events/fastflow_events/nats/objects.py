"""Objects in a bucket, as every NATS client reads them: a description, and chunks under a name of their own.

```
$O.<bucket>.M.<base64url of the object's name>   the newest message describes the object
$O.<bucket>.C.<nuid>                             its chunks, in order
```
Source: ADR-20 of nats-io/nats-architecture-and-design. Written by plain publishes, chunks first and the description
last, so that a reader never sees half of it; read by Direct Get only, which needs no right to administrate a stream.
"""

import asyncio
import base64
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from hashlib import sha256

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError

from fastflow_events.errors import ContractError, InfrastructureError
from fastflow_events.nats.direct_get import get_batch

CHUNK_BYTES = 128 * 1024
WINDOW = 16
"""Chunks on their way at once: 2 MB."""
BATCH = 32
"""Chunks per question: 4 MB."""
ACK_TIMEOUT_S = 30.0
_DIGEST = "SHA-256="
_FULL = frozenset({10023, 10047, 10077})  # nats-server errors.json: the server's, the account's, the stream's room


class StoreFullError(InfrastructureError):
    """There is no room for more before age makes some."""

    code = "store-full"


class DamagedObjectError(ContractError):
    """The stored bytes are not those that were described."""

    code = "object-damaged"


class _Options(Struct, frozen=True):
    max_chunk_size: int = CHUNK_BYTES


class ObjectInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
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

    @property
    def sha256(self) -> str:
        """Of the content, hex.

        Raises:
            msgspec.ValidationError: the digest is none.
        """
        try:
            return base64.urlsafe_b64decode(self.digest.removeprefix(_DIGEST)).hex()
        except ValueError as exc:
            raise msgspec.ValidationError("the digest is not base64url") from exc


class Content(Struct, frozen=True, kw_only=True):
    """What was published under a nuid."""

    nuid: str
    sha256: str
    """Hex."""
    size_bytes: int
    chunks: int


def meta_subject(bucket: str, name: str) -> str:
    """Where an object is described."""
    return f"$O.{bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


def chunk_subject(bucket: str, nuid: str) -> str:
    """Where the chunks of an object are."""
    return f"$O.{bucket}.C.{nuid}"


def describe(bucket: str, name: str, content: Content, mtime: str) -> bytes:
    """Return the description that is stored."""
    info = ObjectInfo(
        name=name,
        bucket=bucket,
        nuid=content.nuid,
        size=content.size_bytes,
        chunks=content.chunks,
        digest=_DIGEST + base64.urlsafe_b64encode(bytes.fromhex(content.sha256)).decode(),
        mtime=mtime,
    )
    return msgspec.json.encode(info)


async def publish(nc: Client, bucket: str, nuid: str, pieces: AsyncIterable[bytes], *, what: str) -> Content:
    """Publish the pieces as the chunks of an object, some at a time; whoever knows no description sees none of it.

    Raises:
        StoreFullError: there is no room.
        InfrastructureError: the store is away, or not ours.
    """
    parts = _in_chunks(pieces)
    begun = [chunk async for chunk in _first(parts, 2)]
    if len(begun) < 2:
        return await _publish_one(nc, bucket, nuid, begun[0] if begun else b"", what)
    digest, size, chunks, last_seq, waiting = sha256(), 0, 0, 0, 0
    acks: asyncio.Queue[bytes] = asyncio.Queue()

    async def on_ack(msg: Msg) -> None:
        acks.put_nowait(msg.data if not msg.headers else b"")

    inbox = nc.new_inbox()
    subscription = await nc.subscribe(inbox, cb=on_ack)
    try:
        async for chunk in _chain(begun, parts):
            digest.update(chunk)
            size, chunks, waiting = size + len(chunk), chunks + 1, waiting + 1
            await nc.publish(chunk_subject(bucket, nuid), chunk, reply=inbox)
            if waiting == WINDOW:
                last_seq, waiting = await _confirmed(acks, last_seq, what), waiting - 1
        for _ in range(waiting):
            last_seq = await _confirmed(acks, last_seq, what)
    finally:
        await subscription.unsubscribe()
    return Content(nuid=nuid, sha256=digest.hexdigest(), size_bytes=size, chunks=chunks)


async def _publish_one(nc: Client, bucket: str, nuid: str, chunk: bytes, what: str) -> Content:
    """Most objects fit into one chunk, and need no inbox of their own for it."""
    if chunk:
        try:
            await nc.jetstream(timeout=ACK_TIMEOUT_S).publish(chunk_subject(bucket, nuid), chunk)
        except APIError as exc:
            raise refusal(f"a chunk of {what}", exc.err_code, exc.description) from exc
    return Content(nuid=nuid, sha256=sha256(chunk).hexdigest(), size_bytes=len(chunk), chunks=1 if chunk else 0)


async def read(nc: Client, bucket: str, content: Content, *, what: str) -> AsyncIterator[bytes]:
    """Yield the bytes of an object as they are read; the digest is verified behind the last of them.

    Raises:
        DamagedObjectError: bytes are missing or wrong.
        InfrastructureError: the server did not answer.
    """
    subject, after_seq, size, digest = chunk_subject(bucket, content.nuid), 0, 0, sha256()
    while size < content.size_bytes:
        batch = await get_batch(nc, f"OBJ_{bucket}", subject=subject, after_seq=after_seq, limit=BATCH)
        if not batch:
            break
        for chunk in batch:
            size += len(chunk.data)
            digest.update(chunk.data)
            yield chunk.data
        after_seq = batch[-1].seq
    if size != content.size_bytes or digest.hexdigest() != content.sha256:
        raise DamagedObjectError(f"{what} is damaged in the object store", bytes=size)


async def _first(parts: AsyncIterator[bytes], count: int) -> AsyncIterator[bytes]:
    while count and (part := await anext(parts, None)) is not None:
        count -= 1
        yield part


async def _chain(begun: Iterable[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for part in begun:
        yield part
    async for part in rest:
        yield part


async def _in_chunks(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES])
            del held[:CHUNK_BYTES]
    if held:
        yield bytes(held)


def refusal(what: str, err_code: int | None, description: str | None) -> InfrastructureError:
    """The error that says why the server does not store something."""
    if err_code in _FULL:
        return StoreFullError(f"{what} was not stored: the object store is full ({description})")
    return InfrastructureError(f"{what} was not stored: {description}")


class _Refusal(Struct, frozen=True):
    err_code: int = 0
    description: str = ""


class _Ack(Struct, frozen=True):
    seq: int = 0
    error: _Refusal | None = None


async def _confirmed(acks: "asyncio.Queue[bytes]", last_seq: int, what: str) -> int:
    """The position in the next acknowledgement; one connection's messages are stored in the order they were sent."""
    async with asyncio.timeout(ACK_TIMEOUT_S):
        data = await acks.get()
    ack = msgspec.json.decode(data, type=_Ack) if data else _Ack()
    if ack.error is not None:
        raise refusal(f"a chunk of {what}", ack.error.err_code, ack.error.description)
    if ack.seq <= last_seq:
        raise InfrastructureError(f"a chunk of {what} was not stored: the object store is away or not ours")
    return ack.seq

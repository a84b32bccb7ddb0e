"""Writing a bundle: plain publishes, chunks first and the description last, so a reader never sees half of it."""

import asyncio
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

import msgspec
import nats.errors
from msgspec import Struct
from msgspec.structs import replace
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError, NoStreamResponseError
from nats.nuid import NUID

from fastflow_events.bundles.names import CHUNK_BYTES, StoredBundle, chunk_subject, encode_info, meta_subject
from fastflow_events.bundles.read import find_bundle
from fastflow_events.direct_get import get_last
from fastflow_events.errors import InfrastructureError
from fastflow_events.topology import CODE

_NUID = NUID()
WINDOW = 16
"""Chunks on their way at once: 2 MB."""
ACK_TIMEOUT_S = 30.0
_WRONG_LAST_SEQUENCE = 10071  # nats-server errors.json


async def store_bundle(nc: Client, tree: str, file: BinaryIO, *, at: datetime, unseen: bool = False) -> StoredBundle:
    """Store the bytes of `file`, from its start, as the bundle of a tree; returns what is stored.

    Safe to repeat and to do twice at once: the first description stays, and is what both return. With `unseen` nobody
    is asked before whether there is one.

    Raises:
        InfrastructureError: the store did not answer, is full, or is not ours.
    """
    subject = meta_subject(tree)
    before = None if unseen else await get_last(nc, CODE, subject=subject)
    if before and (present := await find_bundle(nc, tree)):
        return present
    nuid = _NUID.next().decode()
    try:
        sha, size, chunks = await _publish_chunks(nc, chunk_subject(nuid), file)
        bundle = StoredBundle(tree=tree, sha256=sha, size_bytes=size, chunks=chunks, nuid=nuid)
        expected = {"Nats-Expected-Last-Subject-Sequence": str(before.seq if before else 0)}
        ack = await nc.jetstream(timeout=ACK_TIMEOUT_S).publish(
            subject, encode_info(bundle, at.isoformat()), headers=expected
        )
    except APIError as exc:
        if exc.err_code == _WRONG_LAST_SEQUENCE:
            if present := await find_bundle(nc, tree):
                return present  # somebody else stored the same tree in the meantime
            if unseen:
                return await store_bundle(nc, tree, file, at=at)  # stored and deleted in the meantime
        raise InfrastructureError(f"the code bundle was not stored: {exc.description}", tree=tree) from exc
    except NoStreamResponseError as exc:
        raise InfrastructureError("nobody keeps code bundles: the object store is away or not ours") from exc
    except (nats.errors.Error, TimeoutError) as exc:
        raise InfrastructureError(f"the code bundle was not stored: {exc!r}", tree=tree) from exc
    return StoredBundle(tree=tree, sha256=sha, size_bytes=size, chunks=chunks, nuid=nuid, seq=ack.seq)


async def touch_bundle(nc: Client, bundle: StoredBundle, *, at: datetime) -> StoredBundle | None:
    """Describe a stored bundle anew, so that a deletion decided before does not happen; None when that came first.

    Raises:
        InfrastructureError: the store did not answer.
    """
    expected = {"Nats-Expected-Last-Subject-Sequence": str(bundle.seq)}
    try:
        ack = await nc.jetstream(timeout=ACK_TIMEOUT_S).publish(
            meta_subject(bundle.tree), encode_info(bundle, at.isoformat()), headers=expected
        )
    except APIError as exc:
        if exc.err_code == _WRONG_LAST_SEQUENCE:
            return await find_bundle(nc, bundle.tree)  # somebody else touched it, or it is deleted
        raise InfrastructureError(f"the code bundle was not kept: {exc.description}", tree=bundle.tree) from exc
    except (nats.errors.Error, TimeoutError) as exc:
        raise InfrastructureError(f"the code bundle was not kept: {exc!r}", tree=bundle.tree) from exc
    return replace(bundle, seq=ack.seq)


async def _publish_chunks(nc: Client, subject: str, file: BinaryIO) -> tuple[str, int, int]:
    """Publish the file in chunks, some at a time; return its digest, its size and their number."""
    file.seek(0)
    first = file.read(CHUNK_BYTES + 1)
    if len(first) <= CHUNK_BYTES:
        return await _publish_one(nc, subject, first)
    digest, size, chunks, last_seq = sha256(), 0, 0, 0
    acks: asyncio.Queue[bytes] = asyncio.Queue()

    async def on_ack(msg: Msg) -> None:
        acks.put_nowait(msg.data if not msg.headers else b"")

    inbox = nc.new_inbox()
    subscription = await nc.subscribe(inbox, cb=on_ack)
    try:
        file.seek(0)
        while window := [chunk for _ in range(WINDOW) if (chunk := file.read(CHUNK_BYTES))]:
            for chunk in window:
                digest.update(chunk)
                size += len(chunk)
                chunks += 1
                await nc.publish(subject, chunk, reply=inbox)
            for _ in window:
                last_seq = _check(await asyncio.wait_for(acks.get(), ACK_TIMEOUT_S), last_seq)
    finally:
        await subscription.unsubscribe()
    return digest.hexdigest(), size, chunks


async def _publish_one(nc: Client, subject: str, chunk: bytes) -> tuple[str, int, int]:
    """Most pipelines fit into one chunk, and need no inbox of their own for it."""
    if chunk:
        await nc.jetstream(timeout=ACK_TIMEOUT_S).publish(subject, chunk)
    return sha256(chunk).hexdigest(), len(chunk), 1 if chunk else 0


class _Ack(Struct, frozen=True):
    seq: int = 0
    error: dict[str, object] | None = None


def _check(data: bytes, last_seq: int) -> int:
    """Return the position in an acknowledgement; one connection's messages are stored in the order they were sent."""
    ack = msgspec.json.decode(data, type=_Ack) if data else _Ack()
    if ack.error is not None or ack.seq <= last_seq:
        why = ack.error.get("description") if ack.error else "the object store is away or not ours"
        raise InfrastructureError(f"a chunk of a code bundle was not stored: {why}")
    return ack.seq

"""Writing a bundle: plain publishes, chunks first and the description last, so a reader never sees half of it."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import BinaryIO

from msgspec.structs import replace
from nats.aio.client import Client
from nats.nuid import NUID

from fastflow_events.errors import ConcurrencyError, InfrastructureError
from fastflow_events.nats import objects
from fastflow_events.nats.bundles.names import StoredBundle, encode_info, meta_subject
from fastflow_events.nats.bundles.read import find_bundle
from fastflow_events.nats.direct_get import get_last
from fastflow_events.nats.objects import ACK_TIMEOUT_S, CHUNK_BYTES
from fastflow_events.nats.storing import expecting, translated
from fastflow_events.nats.topology import CODE, CODE_BUCKET

_NUID = NUID()


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
        with translated("the code bundle was not stored", tree=tree):
            content = await objects.publish(nc, CODE_BUCKET, nuid, _pieces(file), what="a code bundle")
            bundle = StoredBundle(
                tree=tree, sha256=content.sha256, size_bytes=content.size_bytes, chunks=content.chunks, nuid=nuid
            )
            ack = await nc.jetstream(timeout=ACK_TIMEOUT_S).publish(
                subject, encode_info(bundle, at.isoformat()), headers=expecting(before.seq if before else 0)
            )
    except ConcurrencyError as exc:
        if present := await find_bundle(nc, tree):
            return present  # somebody else stored the same tree in the meantime
        if unseen:
            return await store_bundle(nc, tree, file, at=at)  # stored and deleted in the meantime
        raise InfrastructureError(str(exc), tree=tree) from exc
    return replace(bundle, seq=ack.seq)


async def touch_bundle(nc: Client, bundle: StoredBundle, *, at: datetime) -> StoredBundle | None:
    """Describe a stored bundle anew, so that a deletion decided before does not happen; None when that came first.

    Raises:
        InfrastructureError: the store did not answer.
    """
    try:
        with translated("the code bundle was not kept", tree=bundle.tree):
            ack = await nc.jetstream(timeout=ACK_TIMEOUT_S).publish(
                meta_subject(bundle.tree), encode_info(bundle, at.isoformat()), headers=expecting(bundle.seq)
            )
    except ConcurrencyError:
        return await find_bundle(nc, bundle.tree)  # somebody else touched it, or it is deleted
    return replace(bundle, seq=ack.seq)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    file.seek(0)
    while piece := file.read(CHUNK_BYTES):
        yield piece

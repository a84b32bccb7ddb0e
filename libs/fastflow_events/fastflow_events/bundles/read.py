"""Reading a bundle: Direct Get only, so that a service without stream administration can do it."""

from hashlib import sha256

import msgspec
from nats.aio.client import Client

from fastflow_events.bundles.names import StoredBundle, chunk_subject, decode_info, meta_subject
from fastflow_events.direct_get import get_batch, get_last
from fastflow_events.errors import ContractError, NotFoundError
from fastflow_events.topology import CODE

BATCH = 32
"""Chunks per request: 4 MB."""


class BundleMissingError(NotFoundError):
    """There is no bundle of this tree, or it has been deleted."""

    code = "bundle-missing"


class BundleDamagedError(ContractError):
    """The stored bytes are not those that were described."""

    code = "bundle-damaged"


async def find_bundle(nc: Client, tree: str) -> StoredBundle | None:
    """Return what is stored of a tree; None when there is nothing, or when its chunks have been dropped.

    Raises:
        InfrastructureError: the server did not answer.
        BundleDamagedError: its description cannot be read.
    """
    last = await get_last(nc, CODE, subject=meta_subject(tree))
    if last is None:
        return None
    try:
        bundle = decode_info(last.data, last.seq)
    except msgspec.MsgspecError as exc:
        raise BundleDamagedError(f"the description of the bundle cannot be read: {exc}", tree=tree) from exc
    if bundle is None:
        return None
    first = await get_batch(nc, CODE, subject=chunk_subject(bundle.nuid), after_seq=0, limit=1)
    return bundle if first else None


async def read_bundle(nc: Client, tree: str) -> bytes:
    """Return the bundle of a tree, a tar.zst, with its digest verified.

    Raises:
        BundleMissingError: there is none.
        BundleDamagedError: bytes are missing or wrong.
        InfrastructureError: the server did not answer.
    """
    bundle = await find_bundle(nc, tree)
    if bundle is None:
        raise BundleMissingError("the code bundle is not in the object store", tree=tree)
    subject, after_seq = chunk_subject(bundle.nuid), 0
    data = bytearray()
    while len(data) < bundle.size_bytes:
        batch = await get_batch(nc, CODE, subject=subject, after_seq=after_seq, limit=BATCH)
        if not batch:
            break
        for chunk in batch:
            data += chunk.data
        after_seq = batch[-1].seq
    if len(data) != bundle.size_bytes or sha256(data).hexdigest() != bundle.sha256:
        raise BundleDamagedError("the code bundle is damaged in the object store", tree=tree, bytes=len(data))
    return bytes(data)

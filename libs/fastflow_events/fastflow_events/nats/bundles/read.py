"""Reading a bundle: Direct Get only, so that a service without stream administration can do it."""

from collections.abc import AsyncIterator, Collection

import msgspec
from nats.aio.client import Client

from fastflow_events.errors import ContractError, NotFoundError
from fastflow_events.nats import objects
from fastflow_events.nats.bundles.names import StoredBundle, chunk_subject, content_of, decode_info, meta_subject
from fastflow_events.nats.direct_get import get_batch, get_last, get_newest
from fastflow_events.nats.objects import DamagedObjectError
from fastflow_events.nats.topology import CODE, CODE_BUCKET


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


async def undescribed(nc: Client, trees: Collection[str]) -> set[str]:
    """Return those of the trees that the store holds no description of, not even that of a deleted bundle.

    Raises:
        InfrastructureError: the server did not answer.
    """
    subjects = {meta_subject(tree): tree for tree in trees}
    described = {stored.subject async for stored in get_newest(nc, CODE, subjects=list(subjects))}
    return {tree for subject, tree in subjects.items() if subject not in described}


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
    return b"".join([chunk async for chunk in chunks_of(nc, bundle)])


async def chunks_of(nc: Client, bundle: StoredBundle) -> AsyncIterator[bytes]:
    """Yield the bytes of a bundle as they are read; the digest is verified behind the last of them.

    Raises:
        BundleDamagedError: bytes are missing or wrong.
        InfrastructureError: the server did not answer.
    """
    try:
        async for chunk in objects.read(nc, CODE_BUCKET, content_of(bundle), what="the code bundle"):
            yield chunk
    except DamagedObjectError as exc:
        raise BundleDamagedError(str(exc), tree=bundle.tree, **exc.context) from exc

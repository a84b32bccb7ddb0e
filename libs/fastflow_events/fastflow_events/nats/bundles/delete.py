"""Deleting bundles; the deployer's alone, for it needs to purge a stream."""

from collections.abc import AsyncIterator, Set
from datetime import datetime

import msgspec
from msgspec.structs import replace
from nats.aio.client import Client

from fastflow_events.envelope import stored_at
from fastflow_events.errors import ConcurrencyError
from fastflow_events.nats.bundles.names import (
    ALL_CHUNKS,
    ALL_META,
    StoredBundle,
    chunk_subject,
    decode_info,
    deleted_info,
    meta_subject,
)
from fastflow_events.nats.direct_get import get_all, get_last
from fastflow_events.nats.storing import expecting, translated
from fastflow_events.nats.topology import CODE

TIMEOUT_S = 30.0


async def stored_bundles(nc: Client) -> dict[str, StoredBundle]:
    """Return every bundle that is described as stored, by tree.

    Raises:
        InfrastructureError: the server did not answer.
    """
    found: dict[str, StoredBundle] = {}
    async for message in get_all(nc, CODE, subject=ALL_META):
        try:
            bundle = decode_info(message.data, message.seq)
        except msgspec.MsgspecError:
            continue  # a stranger's
        if bundle is not None:
            found[bundle.tree] = replace(bundle, described_at=stored_at(message.headers))
        else:
            found = {tree: known for tree, known in found.items() if meta_subject(tree) != message.subject}
    return found


async def delete_bundle(nc: Client, bundle: StoredBundle, *, at: datetime) -> bool:
    """Delete a bundle unless it was described anew since it was found; returns whether it is gone.

    Raises:
        InfrastructureError: the server did not answer.
    """
    js = nc.jetstream(timeout=TIMEOUT_S)
    subject, deleted = meta_subject(bundle.tree), deleted_info(bundle.tree, at.isoformat())
    try:
        with translated("the code bundle was not deleted", tree=bundle.tree):
            ack = await js.publish(subject, deleted, headers=expecting(bundle.seq))
            await js.purge_stream(CODE, subject=chunk_subject(bundle.nuid))
            await js.purge_stream(CODE, subject=subject, seq=ack.seq)
    except ConcurrencyError:
        return False
    return True


async def abandoned_chunks(nc: Client, known: Set[str], *, before: datetime) -> AsyncIterator[str]:
    """Yield the subjects of chunks that no description names and whose upload ended before an instant.

    Raises:
        InfrastructureError: the server did not answer.
    """
    with translated("the code bundles cannot be listed"):
        info = await nc.jetstream(timeout=TIMEOUT_S).stream_info(CODE, subjects_filter=ALL_CHUNKS)
    for subject in sorted((info.state.subjects or {}).keys() - {chunk_subject(nuid) for nuid in known}):
        last = await get_last(nc, CODE, subject=subject)
        at = stored_at(last.headers) if last else None
        if at is not None and at < before:
            yield subject


async def purge_chunks(nc: Client, subject: str) -> None:
    """Delete the chunks on one subject.

    Raises:
        InfrastructureError: the server did not answer.
    """
    with translated("abandoned chunks were not deleted"):
        await nc.jetstream(timeout=TIMEOUT_S).purge_stream(CODE, subject=subject)

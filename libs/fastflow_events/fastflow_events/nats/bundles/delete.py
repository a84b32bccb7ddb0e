"""Deleting bundles; the deployer's alone, for it needs to purge a stream."""

from collections.abc import AsyncIterator, Set
from datetime import datetime

import msgspec
import nats.errors
from msgspec.structs import replace
from nats.aio.client import Client
from nats.js.errors import APIError

from fastflow_events.errors import InfrastructureError
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
from fastflow_events.nats.topology import CODE

_WRONG_LAST_SEQUENCE = 10071  # nats-server errors.json
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
            found[bundle.tree] = replace(bundle, described_at=_stored_at(message.headers))
        else:
            found = {tree: known for tree, known in found.items() if meta_subject(tree) != message.subject}
    return found


async def delete_bundle(nc: Client, bundle: StoredBundle, *, at: datetime) -> bool:
    """Delete a bundle unless it was described anew since it was found; returns whether it is gone.

    Raises:
        InfrastructureError: the server did not answer.
    """
    js = nc.jetstream(timeout=TIMEOUT_S)
    expected = {"Nats-Expected-Last-Subject-Sequence": str(bundle.seq)}
    subject = meta_subject(bundle.tree)
    try:
        ack = await js.publish(subject, deleted_info(bundle.tree, at.isoformat()), headers=expected)
        await js.purge_stream(CODE, subject=chunk_subject(bundle.nuid))
        await js.purge_stream(CODE, subject=subject, seq=ack.seq)
    except APIError as exc:
        if exc.err_code == _WRONG_LAST_SEQUENCE:
            return False
        raise InfrastructureError(f"the code bundle was not deleted: {exc.description}", tree=bundle.tree) from exc
    except (nats.errors.Error, TimeoutError) as exc:
        raise InfrastructureError(f"the code bundle was not deleted: {exc!r}", tree=bundle.tree) from exc
    return True


async def abandoned_chunks(nc: Client, known: Set[str], *, before: datetime) -> AsyncIterator[str]:
    """Yield the subjects of chunks that no description names and whose upload ended before an instant.

    Raises:
        InfrastructureError: the server did not answer.
    """
    try:
        info = await nc.jetstream(timeout=TIMEOUT_S).stream_info(CODE, subjects_filter=ALL_CHUNKS)
    except (APIError, nats.errors.Error, TimeoutError) as exc:
        raise InfrastructureError(f"the code bundles cannot be listed: {exc!r}") from exc
    for subject in sorted((info.state.subjects or {}).keys() - {chunk_subject(nuid) for nuid in known}):
        last = await get_last(nc, CODE, subject=subject)
        if last is not None and _stored_at(last.headers) < before:
            yield subject


async def purge_chunks(nc: Client, subject: str) -> None:
    """Delete the chunks on one subject.

    Raises:
        InfrastructureError: the server did not answer.
    """
    try:
        await nc.jetstream(timeout=TIMEOUT_S).purge_stream(CODE, subject=subject)
    except (APIError, nats.errors.Error, TimeoutError) as exc:
        raise InfrastructureError(f"abandoned chunks were not deleted: {exc!r}") from exc


def _stored_at(headers: dict[str, str]) -> datetime:
    """When a message was stored, as the server says it; it counts in nanoseconds, we in microseconds."""
    whole, _, fraction = headers["Nats-Time-Stamp"].removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")

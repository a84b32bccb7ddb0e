"""Code bundles go into the object store by plain publishes and come out by Direct Get."""

import io
import os
from datetime import UTC, datetime, timedelta

import pytest
from fastflow_events.nats import topology
from fastflow_events.nats.bundles import (
    BundleDamagedError,
    BundleMissingError,
    abandoned_chunks,
    delete_bundle,
    find_bundle,
    purge_chunks,
    read_bundle,
    store_bundle,
    stored_bundles,
    touch_bundle,
)
from fastflow_events.nats.bundles.names import ALL_CHUNKS, chunk_subject, meta_subject
from nats.aio.client import Client

pytestmark = pytest.mark.nats
TREE, OTHER = "a" * 40, "b" * 40
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("size", [1, 128 * 1024, 5_000_000])
async def test_a_stored_bundle_is_read_back_byte_by_byte_also_by_the_clients_own_reader(nc: Client, size: int) -> None:
    data = os.urandom(size)
    stored = await store_bundle(nc, TREE, io.BytesIO(data), at=NOW)
    assert await find_bundle(nc, TREE) == stored
    assert await read_bundle(nc, TREE) == data
    official = await nc.jetstream().object_store(topology.CODE_BUCKET)
    assert (await official.get(TREE)).data == data


async def test_storing_twice_stores_once(nc: Client) -> None:
    first = await store_bundle(nc, TREE, io.BytesIO(b"one"), at=NOW)
    assert await store_bundle(nc, TREE, io.BytesIO(b"two"), at=NOW) == first
    assert await read_bundle(nc, TREE) == b"one"


async def test_what_is_not_there_is_said_to_be_missing(nc: Client) -> None:
    assert await find_bundle(nc, OTHER) is None
    with pytest.raises(BundleMissingError):
        await read_bundle(nc, OTHER)


async def test_a_deleted_bundle_is_missing_and_can_be_stored_again(nc: Client) -> None:
    stored = await store_bundle(nc, TREE, io.BytesIO(b"one"), at=NOW)
    other = await store_bundle(nc, OTHER, io.BytesIO(b"other"), at=NOW)
    assert await delete_bundle(nc, stored, at=NOW)
    assert await find_bundle(nc, TREE) is None
    assert list(await stored_bundles(nc)) == [OTHER]
    left = await nc.jetstream().stream_info(topology.CODE, subjects_filter=ALL_CHUNKS)
    assert list(left.state.subjects or {}) == [chunk_subject(other.nuid)]
    await store_bundle(nc, TREE, io.BytesIO(b"two"), at=NOW)
    assert await read_bundle(nc, TREE) == b"two"


async def test_a_bundle_that_was_touched_since_is_not_deleted(nc: Client) -> None:
    before = await store_bundle(nc, TREE, io.BytesIO(b"one"), at=NOW)
    touched = await touch_bundle(nc, before, at=NOW)
    assert touched is not None
    assert touched.seq > before.seq
    assert not await delete_bundle(nc, before, at=NOW)
    assert await read_bundle(nc, TREE) == b"one"
    assert await delete_bundle(nc, touched, at=NOW)
    assert await touch_bundle(nc, touched, at=NOW) is None


async def test_chunks_of_an_upload_that_broke_off_are_found_once_they_are_old(nc: Client) -> None:
    stored = await store_bundle(nc, TREE, io.BytesIO(b"one"), at=NOW)
    await nc.jetstream().publish(chunk_subject("broken"), b"half")
    now = datetime.now(UTC)

    async def found(before: datetime) -> list[str]:
        return [subject async for subject in abandoned_chunks(nc, {stored.nuid}, before=before)]

    assert await found(now - timedelta(hours=1)) == []
    assert await found(now + timedelta(minutes=1)) == [chunk_subject("broken")]
    await purge_chunks(nc, chunk_subject("broken"))
    assert await found(now + timedelta(minutes=1)) == []
    assert await read_bundle(nc, TREE) == b"one"


async def test_a_bundle_with_bytes_missing_or_added_is_refused(nc: Client) -> None:
    stored = await store_bundle(nc, TREE, io.BytesIO(os.urandom(300_000)), at=NOW)
    other = await store_bundle(nc, OTHER, io.BytesIO(os.urandom(300_000)), at=NOW)
    await nc.jetstream().publish(chunk_subject(stored.nuid), b"forged")
    assert (await read_bundle(nc, OTHER)) is not None
    await nc.jetstream().delete_msg(topology.CODE, other.seq - 1)
    for tree in (TREE, OTHER):
        with pytest.raises(BundleDamagedError):
            await read_bundle(nc, tree)


async def test_a_description_that_cannot_be_read_is_damage(nc: Client) -> None:
    await nc.jetstream().publish(meta_subject(TREE), b"{")
    with pytest.raises(BundleDamagedError):
        await read_bundle(nc, TREE)

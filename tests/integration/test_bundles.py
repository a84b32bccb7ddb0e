"""Code bundles go into the object store by plain publishes and come out by Direct Get."""

import io
import os
from datetime import UTC, datetime

import pytest
from fastflow_events import topology
from fastflow_events.bundles import BundleDamagedError, BundleMissingError, find_bundle, read_bundle, store_bundle
from fastflow_events.bundles.names import chunk_subject, meta_subject
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
    await store_bundle(nc, TREE, io.BytesIO(b"one"), at=NOW)
    await (await nc.jetstream().object_store(topology.CODE_BUCKET)).delete(TREE)
    assert await find_bundle(nc, TREE) is None
    await store_bundle(nc, TREE, io.BytesIO(b"two"), at=NOW)
    assert await read_bundle(nc, TREE) == b"two"


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

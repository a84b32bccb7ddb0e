"""The deploy step is safe to repeat, never weakens what is there, and leaves stronger what somebody made stronger."""

from pathlib import Path
from typing import Any

import pytest
from fastflow_events.errors import DomainError
from fastflow_events.nats import sizes, topology
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import OtherShapeError, WeakerStreamError, deploy
from fastflow_events.nats.widening import GUARDS, LIMITS, differences, limit, widened
from fastflow_events.service.settings import Settings
from fastflow_events.testing.nats_server import nats_server
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.js.api import DiscardPolicy, StorageType, StoreCompression, StreamConfig

pytestmark = pytest.mark.nats

GB = 10**9
BOUNDS = sizes.bounds()
DECLARED = {stream.name or "": stream for stream in topology.streams(BOUNDS)}


async def config_of(nc: Client, name: str) -> StreamConfig:
    return (await nc.jetstream().stream_info(name)).config


async def test_deploying_again_changes_nothing(nc: Client) -> None:
    assert await deploy(nc) == []


async def test_a_new_pool_gets_its_work_queue(nc: Client) -> None:
    assert await deploy(nc, pools=("default", "gpu")) == ["consumer runner-dispatch-gpu created"]


async def test_a_bound_that_an_operator_raised_by_hand_is_kept_at_every_start(nc: Client) -> None:
    more = BOUNDS[topology.EVENTS] + GB
    await nc.jetstream().update_stream((await config_of(nc, topology.EVENTS)).evolve(max_bytes=more))
    for _ in range(2):
        assert await deploy(nc) == []
    assert (await config_of(nc, topology.EVENTS)).max_bytes == more


async def test_whatever_else_an_operator_made_stronger_is_kept(nc: Client) -> None:
    stronger = (await config_of(nc, topology.OUTPUT)).evolve(
        max_age=90 * topology.DAY_S, max_msg_size=2 * topology.MIB, deny_delete=True, description="kept longer"
    )
    await nc.jetstream().update_stream(stronger)
    assert await deploy(nc) == []
    found = await config_of(nc, topology.OUTPUT)
    assert (found.max_age, found.max_msg_size, found.deny_delete) == (90 * topology.DAY_S, 2 * topology.MIB, True)
    assert found.description == "kept longer"


async def test_a_chosen_bound_is_set_and_going_back_on_it_takes_nothing_away(nc: Client) -> None:
    chosen = {topology.EVENTS: 9 * GB}
    [changed] = await deploy(nc, bounds=sizes.bounds(chosen=chosen), chosen=chosen)
    assert "max_bytes" in changed
    assert await deploy(nc) == []
    assert (await config_of(nc, topology.EVENTS)).max_bytes == 9 * GB


async def test_a_chosen_bound_that_the_store_cannot_hold_is_refused_and_changes_nothing(nc: Client) -> None:
    chosen = {topology.EVENTS: 31 * GB}
    with pytest.raises(DomainError, match="FASTFLOW_STORE_BYTES"):
        await deploy(nc, bounds=sizes.bounds(chosen=chosen), chosen=chosen)
    assert await deploy(nc) == []


async def test_the_server_has_room_for_the_log_to_be_doubled_and_for_streams_to_come(nc: Client) -> None:
    js = nc.jetstream()
    await js.update_stream((await config_of(nc, topology.EVENTS)).evolve(max_bytes=2 * BOUNDS[topology.EVENTS]))
    await js.add_stream(name="TO_COME", subjects=["to.come"], max_bytes=GB)
    assert await deploy(nc) == []


async def test_a_stream_that_was_weakened_is_made_strong_again(nc: Client) -> None:
    weaker = (await config_of(nc, topology.EVENTS)).evolve(
        max_bytes=topology.GIB, allow_direct=False, compression=StoreCompression.S2
    )
    await nc.jetstream().update_stream(weaker)
    [changed] = await deploy(nc)
    assert "max_bytes" in changed
    assert "allow_direct" in changed
    assert differences(await config_of(nc, topology.EVENTS), DECLARED[topology.EVENTS]) == []


async def test_no_stream_is_compressed_and_deleting_is_left_to_the_accounts(nc: Client) -> None:
    for info in await nc.jetstream().streams_info():
        assert info.config.compression == StoreCompression.NONE, info.config.name
        assert not info.config.deny_delete, info.config.name
        assert not info.config.deny_purge, info.config.name


async def test_a_log_of_an_earlier_shape_is_refused_in_one_sentence_and_nothing_is_touched(nats_url: str) -> None:
    async with connect(Settings(nats_url=nats_url), "test") as nc:
        earlier = DECLARED[topology.EVENTS].evolve(
            deny_delete=True, deny_purge=True, compression=StoreCompression.S2, metadata={"schema": "1"}
        )
        await nc.jetstream().add_stream(earlier)
        with pytest.raises(OtherShapeError, match="start with an empty home") as refused:
            await deploy(nc)
        assert str(refused.value).count("\n") == 0
        assert [info.config.name for info in await nc.jetstream().streams_info()] == [topology.EVENTS]


async def test_a_stream_that_is_no_log_is_refused(nats_url: str) -> None:
    async with connect(Settings(nats_url=nats_url), "test") as nc:
        await nc.jetstream().add_stream(
            DECLARED[topology.OUTPUT].evolve(storage=StorageType.MEMORY, max_bytes=GB // 10)
        )
        with pytest.raises(WeakerStreamError, match="storage"):
            await deploy(nc)


async def test_a_bound_above_what_the_server_has_is_told_with_what_to_do(tmp_path: Path) -> None:
    with nats_server(tmp_path / "nats") as url:
        async with connect(Settings(nats_url=url), "test") as nc:
            store = 64 * GB  # the server has 32
            with pytest.raises(Exception, match=r"insufficient storage.*FASTFLOW_STORE_BYTES"):
                await deploy(nc, store=store, bounds=sizes.bounds(store))


def _stronger() -> st.SearchStrategy[dict[str, Any]]:
    larger = st.sampled_from([-1, 1, 10**6, 10**15])
    return st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(LIMITS, larger),
            **dict.fromkeys(GUARDS, st.booleans()),
            "discard": st.sampled_from(DiscardPolicy),
            "num_replicas": st.sampled_from([1, 3, 5]),
            "duplicate_window": st.sampled_from([60, 120, 3600]),
            "compression": st.sampled_from(StoreCompression),
            "subjects": st.sampled_from([["fastflow.evt.run.>"], ["fastflow.evt.>", "more.>"]]),
            "description": st.sampled_from(["mine"]),
            "metadata": st.just({"mine": "1"}),
        },
    )


@given(st.sampled_from(sorted(n for n in DECLARED if not n.startswith("KV_"))), _stronger())
def test_a_stream_is_afterwards_nowhere_weaker_than_before_nor_than_declared(name: str, hand: dict[str, Any]) -> None:
    declared = DECLARED[name]
    before = declared.evolve(**hand)
    after = widened(before, declared)
    for field in LIMITS:
        assert limit(getattr(after, field)) == max(limit(getattr(before, field)), limit(getattr(declared, field)))
    for field in GUARDS:
        assert bool(getattr(after, field)) == bool(getattr(before, field) or getattr(declared, field))
    assert after.num_replicas == max(before.num_replicas or 1, declared.num_replicas or 1)
    assert (after.discard == DiscardPolicy.NEW) == (DiscardPolicy.NEW in (before.discard, declared.discard))
    assert {*(after.subjects or ())} == {*(before.subjects or ()), *(declared.subjects or ())}
    assert after.description == before.description
    assert {**(before.metadata or {}), **(declared.metadata or {})} == (after.metadata or {})
    assert after.compression == StoreCompression.NONE
    assert widened(after, declared) == after


@pytest.mark.parametrize("name", [topology.RUNNERS, topology.LEASES])
def test_the_keys_of_a_bucket_live_as_long_as_declared(name: str) -> None:
    changed = DECLARED[name].evolve(max_age=3600)
    assert widened(changed, DECLARED[name]).max_age == DECLARED[name].max_age

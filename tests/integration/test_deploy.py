"""The deploy step is safe to repeat and never weakens what is there."""

import pytest
from fastflow_events import topology
from fastflow_events.deploy import WeakerStreamError, deploy, differences, weakened
from nats.aio.client import Client
from nats.js.api import DiscardPolicy, StreamConfig

pytestmark = pytest.mark.nats


def declared(name: str) -> StreamConfig:
    return next(stream for stream in topology.streams() if stream.name == name)


async def test_deploying_again_changes_nothing(nc: Client) -> None:
    assert await deploy(nc) == []


async def test_a_new_pool_gets_its_work_queue(nc: Client) -> None:
    assert await deploy(nc, pools=("default", "gpu")) == ["consumer runner-dispatch-gpu created"]


async def test_a_stream_that_was_made_stronger_is_left_alone_and_the_deployer_is_told(nc: Client) -> None:
    stronger = declared(topology.OUTPUT).evolve(max_bytes=9 * topology.GIB)
    await nc.jetstream().update_stream(stronger)
    with pytest.raises(WeakerStreamError, match="max_bytes would shrink"):
        await deploy(nc)
    assert (await nc.jetstream().stream_info(topology.OUTPUT)).config.max_bytes == 9 * topology.GIB


async def test_a_stream_that_was_weakened_is_made_strong_again(nc: Client) -> None:
    weaker = declared(topology.EVENTS).evolve(max_bytes=topology.GIB, allow_direct=False)
    await nc.jetstream().update_stream(weaker)
    [changed] = await deploy(nc)
    assert "max_bytes" in changed
    assert "allow_direct" in changed
    config = (await nc.jetstream().stream_info(topology.EVENTS)).config
    assert (config.max_bytes, config.allow_direct) == (4 * topology.GIB, True)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"deny_delete": False}, "deny_delete"),
        ({"deny_purge": False}, "deny_purge"),
        ({"discard": DiscardPolicy.OLD}, "discarded"),
        ({"max_age": 60.0}, "max_age"),
        ({"subjects": ["fastflow.evt.run.>"]}, "fastflow.evt.>"),
    ],
)
def test_every_promise_taken_back_is_named(change: dict[str, object], word: str) -> None:
    have = declared(topology.EVENTS)
    assert word in "; ".join(weakened(have, have.evolve(**change)))
    assert weakened(have, have) == []
    assert differences(have, have) == []

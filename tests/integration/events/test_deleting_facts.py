"""Facts are deleted by the deployer's account or not at all, and whoever reads steps over what is gone."""

import json

import nats.errors
import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.run.commands import RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.execute import execute
from fastflow_events.nats import topology
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.accounts_bus import VICTIM, Bus
from fastflow_events.testing.builders import CAUSE, run_requested
from nats.js.errors import APIError, NoStreamResponseError

pytestmark = pytest.mark.nats


async def stored(bus: Bus) -> list[str]:
    log = JetStreamLog(await bus.client("deployer"), source="/test")
    return [recorded.id async for recorded in log.read(subjects.EVENTS)]


@pytest.mark.parametrize("user", ["gateway", "git_sync", "scheduler", "runner-1", "external"])
@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("STREAM.MSG.DELETE", {"seq": 1}),
        ("STREAM.MSG.DELETE", {"seq": 1, "no_erase": True}),
        ("STREAM.PURGE", {}),
        ("STREAM.PURGE", {"filter": subjects.of_aggregate("run", VICTIM)}),
        ("STREAM.DELETE", {}),
    ],
)
async def test_nobody_but_the_deployer_deletes_a_fact(bus: Bus, user: str, api: str, body: dict[str, object]) -> None:
    nc = await bus.client(user)
    try:
        answer = json.loads((await nc.request(f"$JS.API.{api}.{topology.EVENTS}", json.dumps(body).encode(), 0.5)).data)
    except (nats.errors.NoRespondersError, nats.errors.TimeoutError):
        answer = {}
    assert not answer or answer["error"]["err_code"] == 10039  # nats-server errors.json: not enabled for this account
    for headers in ({"Nats-Rollup": "all"}, {"Nats-Rollup": "sub"}, {"Nats-TTL": "1s"}):
        js = nc.jetstream(timeout=0.5)
        with pytest.raises((APIError, NoStreamResponseError, nats.errors.Error)):
            await js.publish(subjects.event("run", VICTIM, "requested"), b"", headers=headers)
    assert await stored(bus) == [VICTIM]


async def test_the_deployer_deletes_single_facts_and_everybody_reads_on_over_the_gap(bus: Bus) -> None:
    gateway = await bus.log("gateway")
    await execute(gateway, run_decider, "r2", RequestRun(request=run_requested()), cause=CAUSE)
    await execute(gateway, run_decider, "r3", RequestRun(request=run_requested()), cause=CAUSE)
    js = (await bus.client("deployer")).jetstream()
    await js.delete_msg(topology.EVENTS, 2)
    assert [recorded.id async for recorded in gateway.read(subjects.EVENTS)] == [VICTIM, "r3"]
    await js.purge_stream(topology.EVENTS, subject=subjects.of_aggregate("run", "r3"))
    assert [recorded.id async for recorded in gateway.read(subjects.EVENTS)] == [VICTIM]
    await js.delete_stream(topology.EVENTS)
    assert topology.EVENTS not in {info.config.name for info in await js.streams_info()}

"""Every service has an account of its own; what it may not say is not stored, whichever way it is said."""

import asyncio
import io
import itertools
import json
from pathlib import Path

import nats.errors
import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.queue.events import QueueLeased
from fastflow_events.aggregates.run.commands import ClaimAttempt, DispatchAttempt, RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.envelope import body_of, headers_of, subject_of
from fastflow_events.errors import InfrastructureError
from fastflow_events.execute import execute
from fastflow_events.fact import BrokenFact, Fact
from fastflow_events.nats import topology
from fastflow_events.nats.bundles import delete_bundle, read_bundle, store_bundle
from fastflow_events.nats.bundles.names import chunk_subject, meta_subject
from fastflow_events.nats.connection import connect
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import make_keys, seed_path
from fastflow_events.nats.leases import Leader, beat, heartbeats, lead
from fastflow_events.nats.usage import Gauge
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.settings import Settings
from fastflow_events.service.tasks import Work, background
from fastflow_events.testing.accounts_bus import VICTIM, Bus
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    heartbeat,
    holder,
    run_claimed,
    run_requested,
    specification,
    version_stored,
)
from fastflow_events.testing.eventually import eventually
from nats.aio.msg import Msg
from nats.js.errors import APIError, NoStreamResponseError

pytestmark = pytest.mark.nats

FORGED = attempt_finished(outcome="succeeded")


async def stored(bus: Bus) -> list[str]:
    log = JetStreamLog(await bus.client("deployer"), source="/test")
    read = log.read(subjects.EVENTS)
    return [recorded.wire_type async for recorded in read if not isinstance(recorded.fact, BrokenFact)]


def forged(fact: Fact) -> tuple[str, bytes, dict[str, str]]:
    recorded = Recorded(
        seq=0, aggregate="run", id=VICTIM, version=2, at=NOON, source="/fastflow/runner/1", cause=CAUSE, fact=fact
    )
    return subject_of(recorded), body_of(fact), headers_of(recorded)


@pytest.mark.parametrize("user", ["gateway", "scheduler", "git_sync", "external"])
async def test_only_a_runner_can_say_how_an_attempt_ended(bus: Bus, user: str) -> None:
    nc = await bus.client(user)
    subject, body, headers = forged(FORGED)
    with pytest.raises((NoStreamResponseError, nats.errors.Error)):
        await nc.jetstream(timeout=1).publish(subject, body, headers=headers)
    assert await stored(bus) == ["run.requested.v1"]


@pytest.mark.parametrize(
    "request_to",
    [
        f"$JS.API.DIRECT.GET.{topology.EVENTS}",
        f"$JS.API.STREAM.INFO.{topology.EVENTS}",
        f"$JS.API.CONSUMER.MSG.NEXT.{topology.TRIGGERS}.gateway-triggers",
        subjects.event("run", VICTIM, "requested"),
        subjects.trigger("hello"),
    ],
)
async def test_a_reply_subject_makes_nobody_write_for_the_gateway(bus: Bus, request_to: str) -> None:
    nc = await bus.client("gateway")
    subject, _, headers = forged(FORGED)
    await nc.publish(subjects.trigger("hello"), body_of(FORGED))
    body = json.dumps({"last_by_subj": subjects.event("run", VICTIM, "requested"), "batch": 1}).encode()
    await nc.publish(request_to, body, reply=subject, headers=headers)
    await nc.publish(request_to, json.dumps({"seq": 1}).encode(), reply=subject)
    await nc.flush()
    await asyncio.sleep(0.3)  # nothing may happen, and nothing tells when it would have
    assert await stored(bus) == ["run.requested.v1"]


async def test_a_runner_speaks_in_its_own_name_only(bus: Bus) -> None:
    log = await bus.log("runner-2")
    position = (await log.load("run", VICTIM)).position
    with pytest.raises(InfrastructureError):
        await log.append(position, [run_claimed(runner="runner-1")], cause=CAUSE)
    with pytest.raises(InfrastructureError):
        await beat(await bus.client("runner-2"), heartbeat("runner-1"))
    await log.append(position, [run_claimed(runner="runner-2")], cause=CAUSE)
    assert await stored(bus) == ["run.requested.v1", "run.claimed.v1"]


@pytest.mark.parametrize("user", ["gateway", "git_sync", "scheduler", "runner-1", "external"])
@pytest.mark.parametrize(
    "subject",
    [
        f"$JS.API.STREAM.DELETE.{topology.EVENTS}",
        f"$JS.API.STREAM.PURGE.{topology.OUTPUT}",
        f"$JS.API.STREAM.UPDATE.{topology.EVENTS}",
        f"$JS.API.CONSUMER.CREATE.{topology.EVENTS}.mine",
        f"$JS.API.CONSUMER.DELETE.{topology.TRIGGERS}.gateway-triggers",
        "$JS.API.STREAM.NAMES",
    ],
)
async def test_nobody_but_the_deployer_administrates_streams(bus: Bus, user: str, subject: str) -> None:
    before = await described(bus)
    nc = await bus.client(user)
    try:
        answer = json.loads((await nc.request(subject, b"{}", timeout=0.5)).data)
    except (nats.errors.NoRespondersError, nats.errors.TimeoutError):
        answer = {}
    assert not answer or answer["error"]["err_code"] == 10039  # nats-server errors.json: not enabled for this account
    assert await described(bus) == before


@pytest.mark.parametrize(
    ("user", "knows"),
    [*((user, True) for user in ("gateway", "scheduler", "git_sync", "runner-1")), ("external", False)],
)
async def test_whoever_folds_the_log_knows_how_full_it_is_and_since_when_it_is_there(
    bus: Bus, user: str, knows: bool
) -> None:
    gauge = Gauge(await bus.client(user), topology.EVENTS, folder=Path(), steady=lambda: 0.0)
    share = (await gauge.fill()).share
    assert (0 < share < 0.01) == knows


async def test_nobody_waits_for_the_size_of_a_log_that_is_watched(bus: Bus) -> None:
    nc, now = await bus.client("gateway"), itertools.count(step=1000)
    gauge = Gauge(nc, topology.EVENTS, folder=Path(), steady=lambda: float(next(now)))
    async with background(of=(work := Work()), gauge=gauge.watch()):

        async def is_watched() -> bool:
            return await work.ping() is None

        await eventually(is_watched)
        asked = nc.stats["out_msgs"]
        assert [0 < (await gauge.fill()).share < 0.01 for _ in range(3)] == [True] * 3
        assert nc.stats["out_msgs"] == asked


@pytest.mark.parametrize("user", ["gateway", "git_sync", "scheduler", "runner-1", "external"])
async def test_nobody_but_the_deployer_deletes_stored_code(bus: Bus, user: str) -> None:
    stored = await store_bundle(await bus.client("git_sync"), "a" * 40, io.BytesIO(b"code"), at=NOON)
    js = (await bus.client(user)).jetstream(timeout=0.5)
    for headers in ({"Nats-Rollup": "all"}, {"Nats-Rollup": "sub"}):
        for subject in (meta_subject(stored.tree), chunk_subject(stored.nuid)):
            with pytest.raises((APIError, NoStreamResponseError, nats.errors.Error)):
                await js.publish(subject, b"", headers=headers)
    with pytest.raises((APIError, nats.errors.Error)):
        await js.purge_stream(topology.CODE)
    assert await read_bundle(await bus.client("runner-1"), stored.tree) == b"code"
    assert await delete_bundle(await bus.client("deployer"), stored, at=NOON)


async def test_the_gateway_reads_code_and_asks_git_sync_what_no_fact_says(bus: Bus) -> None:
    git_sync, gateway = await bus.client("git_sync"), await bus.client("gateway")

    async def answer(message: Msg) -> None:
        await message.respond(b"yes, " + message.data)

    await git_sync.subscribe(subjects.GIT_QUESTIONS, cb=answer)
    await git_sync.flush()
    asked = await gateway.request(subjects.git_question("plan"), b"ann", timeout=5)
    assert asked.data == b"yes, ann"
    for user in ("scheduler", "runner-1", "external"):
        with pytest.raises((nats.errors.NoRespondersError, nats.errors.TimeoutError)):
            await (await bus.client(user)).request(subjects.git_question("plan"), b"", timeout=0.5)
    await store_bundle(git_sync, "a" * 40, io.BytesIO(b"code"), at=NOON)
    assert await read_bundle(gateway, "a" * 40) == b"code"


async def described(bus: Bus) -> list[tuple[str, int, int]]:
    """Every stream with the number of its messages and consumers, as only the deployer can ask."""
    infos = await (await bus.client("deployer")).jetstream().streams_info()
    return sorted((i.config.name or "", i.state.messages, i.state.consumer_count) for i in infos)


async def test_somebody_without_a_key_is_sent_away(bus: Bus, tmp_path: Path) -> None:
    stranger = tmp_path / "elsewhere"
    make_keys(stranger)
    settings = Settings(nats_url=bus.url, nats_seed_file=seed_path(stranger, "deployer"))
    with pytest.raises(InfrastructureError):
        async with connect(settings, "stranger"):
            pass


async def test_each_service_can_do_its_own_work(bus: Bus) -> None:
    scheduler, runner, git_sync = await bus.log("scheduler"), await bus.log("runner-1"), await bus.log("git_sync")
    await git_sync.append(Position(aggregate="pipeline", id="a b"), [version_stored(), version_stored()], cause=CAUSE)
    await lead(await bus.client("scheduler"), Leader(leader="a", term=1), expected_seq=0)
    await scheduler.append(Position(aggregate="queue", id="main"), [QueueLeased(term=1, leader="a")], cause=CAUSE)
    dispatch = DispatchAttempt(pool="default", term=1, specification=specification())
    await execute(scheduler, run_decider, VICTIM, dispatch, cause=CAUSE)
    work = (
        await (await bus.client("runner-1"))
        .jetstream()
        .pull_subscribe_bind(consumer="runner-dispatch-default", stream=topology.EVENTS)
    )
    [message] = await work.fetch(1, timeout=5)
    await execute(runner, run_decider, VICTIM, ClaimAttempt(attempt=1, holder=holder()), cause=CAUSE)
    await message.ack_sync()
    await beat(await bus.client("runner-1"), heartbeat("runner-1"))
    alive = await heartbeats(await bus.client("scheduler"))
    assert list(alive) == ["runner-1"]


async def test_another_system_triggers_and_hears_but_sees_no_bodies(bus: Bus) -> None:
    external = await bus.client("external")
    heard: list[tuple[str, bytes]] = []

    async def hear(message: object) -> None:
        heard.append((message.subject, message.data))  # type: ignore[attr-defined]

    await external.subscribe("fastflow.feed.run.*.requested", cb=hear)
    await external.flush()
    ack = await external.jetstream().publish(subjects.trigger("hello"), b"{}")
    assert ack.stream == topology.TRIGGERS
    gateway = await bus.log("gateway")
    await execute(gateway, run_decider, "r2", RequestRun(request=run_requested()), cause=CAUSE)
    await eventually(lambda: heard)
    assert heard == [("fastflow.feed.run.r2.requested", b"")]

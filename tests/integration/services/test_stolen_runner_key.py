"""Whoever has stolen the seed of one runner hears nothing of another, and changes nothing of what that one does."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial

import nats.errors
import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.run.commands import (
    AdoptAttempt,
    ClaimAttempt,
    DispatchAttempt,
    FinishAttempt,
    StartAttempt,
)
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAdopted, RunAttemptFinished
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.state import heir_of
from fastflow_events.envelope import body_of, headers_of, subject_of
from fastflow_events.errors import ConcurrencyError, FencedError, InfrastructureError
from fastflow_events.execute import execute
from fastflow_events.fact import Fact, ForeignFact
from fastflow_events.nats import topology
from fastflow_events.nats.artifacts import Artifact, store_artifact
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import beat, heartbeats
from fastflow_events.nats.objects import meta_subject
from fastflow_events.output import Chunk, OutFrame, encode_chunk
from fastflow_events.recorded import Recorded
from fastflow_events.service.tasks import background
from fastflow_events.testing.accounts_bus import VICTIM, Bus
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    heartbeat,
    holder,
    run_claimed,
    run_started,
    specification,
)
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.adapters.artifacts import StoredArtifacts
from fastflow_gateway.adapters.output import JetStreamOutput
from fastflow_gateway.handlers.writers import Writers
from fastflow_runner.adapters.bus.output import NatsOutput
from fastflow_runner.phases.claim import still_held
from fastflow_runner.ports import AttemptRef
from fastflow_runner.shipping import Shipper
from nats.aio.msg import Msg
from nats.js.errors import APIError, NoStreamResponseError

pytestmark = pytest.mark.nats

HONEST, THIEF = "runner-1", "runner-2"
ME = holder(runner=HONEST)
DISPATCH = topology.dispatch_durable("default")


async def claimed(bus: Bus) -> JetStreamLog:
    """The run is dispatched, and the honest runner holds its attempt; returns that one's log."""
    dispatch = DispatchAttempt(pool="default", term=1, specification=specification())
    await execute(await bus.log("scheduler"), run_decider, VICTIM, dispatch, cause=CAUSE)
    log = await bus.log(HONEST)
    claim = ClaimAttempt(attempt=1, holder=ME, heir=heir_of("secret"))
    await execute(log, run_decider, VICTIM, claim, cause=CAUSE)
    return log


def message(fact: Fact, *, version: int = 99) -> tuple[str, bytes, dict[str, str]]:
    recorded = Recorded(
        seq=0, aggregate="run", id=VICTIM, version=version, at=NOON, source="/fastflow/runner/1", cause=CAUSE, fact=fact
    )
    return subject_of(recorded), body_of(fact), headers_of(recorded)


async def test_a_stolen_key_hears_nothing_of_another_runners_inbox(bus: Bus) -> None:
    await bus.log("scheduler")
    thief, honest = await bus.client(THIEF), await bus.client(HONEST)
    heard: list[str] = []

    async def hear(msg: Msg) -> None:
        heard.append(msg.subject)

    for subject in (">", "_INBOX.>", "_R_.>", "$JS.ACK.>"):
        await thief.subscribe(subject, cb=hear)
    await thief.flush()
    dispatch = DispatchAttempt(pool="default", term=1, specification=specification())
    await execute(await bus.log("scheduler"), run_decider, VICTIM, dispatch, cause=CAUSE)
    work = await honest.jetstream().pull_subscribe_bind(consumer=DISPATCH, stream=topology.EVENTS)
    [delivered] = await work.fetch(1, timeout=5)
    await delivered.ack_sync()
    await (await bus.log(HONEST)).load("run", VICTIM)
    await eventually(lambda: any(s.startswith("fastflow.feed.run.") for s in heard))  # the bell is for everybody
    assert {subject.split(".")[1] for subject in heard} == {"feed"}, heard


async def test_a_stolen_key_says_nothing_into_another_runners_inbox(bus: Bus) -> None:
    thief, honest = await bus.client(THIEF), await bus.client(HONEST)
    inbox, heard = honest.new_inbox(), asyncio.Event()

    async def hear(_: Msg) -> None:
        heard.set()

    await honest.subscribe(inbox, cb=hear)
    await honest.flush()
    asked = json.dumps({"last_by_subj": subjects.event("run", VICTIM, "requested")}).encode()
    await thief.publish(inbox, b"forged")
    for subject in (
        f"$JS.API.DIRECT.GET.{topology.EVENTS}",
        f"$JS.API.CONSUMER.MSG.NEXT.{topology.EVENTS}.{DISPATCH}",
        "fastflow.out.x.1." + THIEF,
    ):
        await thief.publish(subject, asked, reply=inbox)
    await thief.flush()
    await asyncio.sleep(0.3)  # nothing may come, and nothing tells when it would have
    assert not heard.is_set()
    await honest.publish(inbox, b"mine")
    await honest.flush()
    await asyncio.wait_for(heard.wait(), 5)


LIES: list[Fact] = [
    run_claimed(runner=THIEF),
    run_started(runner=THIEF),
    attempt_finished(runner=THIEF, outcome="failed"),
    RunAdopted(attempt=1, runner=THIEF, incarnation="i9", engine=ME.engine),
    RunAdopted(attempt=1, runner=THIEF, incarnation="i9", engine=ME.engine, proof="guessed", heir=heir_of("x")),
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.type_)
async def test_a_stolen_key_neither_ends_nor_takes_what_another_runner_holds(bus: Bus, lie: Fact) -> None:
    honest = await claimed(bus)
    thief, scheduler = await bus.log(THIEF), await bus.log("scheduler")
    for n in range(3):
        await thief.append((await thief.load("run", VICTIM)).position, [lie], cause=CAUSE)
        subject, body, headers = message(lie, version=50 + n)
        await (await bus.client(THIEF)).jetstream().publish(subject, b"junk", headers=headers)
        await (
            (await bus.client(THIEF))
            .jetstream()
            .publish(subject, body.replace(THIEF.encode(), HONEST.encode()), headers=headers)
        )
    history = await scheduler.load("run", VICTIM)
    assert sum(isinstance(fact, ForeignFact) for fact in history.facts) == 9
    assert run_decider.fold(history.facts).holder == ME
    me = holder(runner=THIEF, incarnation="i9", engine=ME.engine)
    with pytest.raises(FencedError):
        await execute(thief, run_decider, VICTIM, AdoptAttempt(attempt=1, holder=me, proof="guessed"), cause=CAUSE)
    start = StartAttempt(attempt=1, holder=ME, manifest=Manifest(executor="process", container="c"), started_at=NOON)
    await execute(honest, run_decider, VICTIM, start, cause=CAUSE)
    end = FinishAttempt(holder=ME, finished=attempt_finished(runner=HONEST, outcome="succeeded"))
    [found] = await execute(honest, run_decider, VICTIM, end, cause=CAUSE)
    assert isinstance(found.fact, RunAttemptFinished)
    run = run_decider.fold((await scheduler.load("run", VICTIM)).facts)
    assert (run.phase, run.outcome) == ("ended", "succeeded")
    assert scheduler.doubts.why("run", VICTIM) == ""


async def test_a_stolen_key_appends_nothing_in_another_runners_name(bus: Bus) -> None:
    await claimed(bus)
    thief = await bus.client(THIEF)
    js = thief.jetstream(timeout=0.5)
    for fact in (attempt_finished(runner=HONEST), run_claimed(runner=HONEST)):
        subject, body, headers = message(fact)
        for where in (subject, f"{subject}.{THIEF}", subject.removesuffix(f".{HONEST}")):
            with pytest.raises((NoStreamResponseError, nats.errors.Error)):
                await js.publish(where, body, headers=headers)
    assert len((await (await bus.log("scheduler")).load("run", VICTIM)).recorded) == 3


async def test_a_stolen_key_does_not_beat_for_another_runner(bus: Bus) -> None:
    await beat(await bus.client(HONEST), heartbeat(HONEST))
    thief = await bus.client(THIEF)
    with pytest.raises((InfrastructureError, ConcurrencyError)):
        await beat(thief, heartbeat(HONEST))
    for headers in ({"KV-Operation": "DEL"}, {"KV-Operation": "PURGE", "Nats-Rollup": "sub"}):
        key = f"$KV.fastflow-runners.{HONEST}"
        with pytest.raises((NoStreamResponseError, APIError, nats.errors.Error)):
            await thief.jetstream(timeout=0.5).publish(key, b"", headers=headers)
    assert list(await heartbeats(await bus.client("scheduler"))) == [HONEST]


async def test_what_a_stolen_key_settles_in_the_pools_queue_is_withdrawn_and_given_out_again(bus: Bus) -> None:
    """The queue of a pool is that of all its runners; who has a delivery has it, whatever others settle."""
    dispatch = DispatchAttempt(pool="default", term=1, specification=specification())
    [dispatched] = await execute(await bus.log("scheduler"), run_decider, VICTIM, dispatch, cause=CAUSE)
    honest, thief = await bus.client(HONEST), await bus.client(THIEF)
    work = await honest.jetstream().pull_subscribe_bind(consumer=DISPATCH, stream=topology.EVENTS)
    [delivered] = await work.fetch(1, timeout=5)
    for verdict in (b"+TERM", b"+ACK", b"-NAK"):
        await thief.publish(f"$JS.ACK.{topology.EVENTS}.{DISPATCH}.1.{dispatched.seq}.1.1.0", verdict)
    await thief.flush()
    assert delivered.metadata.sequence.stream == dispatched.seq
    claim = ClaimAttempt(attempt=1, holder=ME)
    await execute(await bus.log(HONEST), run_decider, VICTIM, claim, cause=CAUSE)
    assert run_decider.fold((await (await bus.log("scheduler")).load("run", VICTIM)).facts).holder == ME


async def test_a_stolen_key_writes_nothing_into_another_runners_output(bus: Bus) -> None:
    await claimed(bus)
    ref = AttemptRef(run_id=VICTIM, attempt=1)
    store, thief = NatsOutput(await bus.client(HONEST), HONEST), await bus.client(THIEF)
    shipper = Shipper(store, ref, holders=partial(still_held, await bus.log(HONEST), ref, ME))
    lies = encode_chunk(Chunk(first=0, frames=(OutFrame("stdout", NOON, b"lies\n"),), last=True, line=0))
    async with background(shipper.send()):
        for word in (b"a\n", b"b\n"):
            await shipper.put(OutFrame("stdout", NOON, word))
            await eventually(lambda: store.newest(ref, [HONEST]))
            await thief.jetstream().publish(subjects.output(VICTIM, 1, THIEF), lies)
            with pytest.raises((NoStreamResponseError, nats.errors.Error)):
                await thief.jetstream(timeout=0.5).publish(subjects.output(VICTIM, 1, HONEST), lies)
        await shipper.close()
    output, writers = JetStreamOutput(await bus.client("gateway")), Writers(await bus.log("gateway"), VICTIM)
    theirs = [one async for some in output.read(VICTIM, after_seq=0) for one in await writers.only(some)]
    assert b"".join(frame.data for one in theirs for frame in one.chunk.frames) == b"a\nb\n"
    last = await output.last(VICTIM, 1, await writers.of(1))
    assert last is not None
    assert (last.runner, last.chunk.last, last.chunk.next) == (HONEST, True, 2)


async def test_a_stolen_key_puts_no_file_in_the_place_of_another_runners(bus: Bus) -> None:
    async def pieces(content: bytes) -> AsyncIterator[bytes]:
        yield content

    artifact = Artifact(run_id=VICTIM, attempt=1, path="report.html")
    honest, thief = await bus.client(HONEST), await bus.client(THIEF)
    stored = await store_artifact(honest, artifact, pieces(b"mine"), at=NOON)
    await store_artifact(thief, artifact, pieces(b"theirs"), at=NOON)
    await thief.jetstream().publish(meta_subject(topology.ARTIFACTS_BUCKET, artifact.name), b"junk")
    found = await StoredArtifacts(await bus.client("gateway")).open(VICTIM, 1, "report.html", stored.sha256)
    assert found is not None
    assert b"".join([piece async for piece in found]) == b"mine"

"""Whoever has stolen the seed of one runner hears nothing of another, and changes nothing of what that one does."""

import asyncio
import json
import os
import signal
from pathlib import Path

import nats.errors
import pytest
from fastflow_events import subjects, topology
from fastflow_events.connection import connect
from fastflow_events.deploy import deploy
from fastflow_events.envelope import body_of, headers_of, subject_of
from fastflow_events.errors import ConcurrencyError, ContractError, FencedError, InfrastructureError
from fastflow_events.execute import execute
from fastflow_events.fact import Fact, ForeignFact
from fastflow_events.jetstream_log import JetStreamLog
from fastflow_events.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.leases import beat, heartbeats
from fastflow_events.recorded import Recorded
from fastflow_events.run.commands import (
    AdoptAttempt,
    ClaimAttempt,
    DispatchAttempt,
    FinishAttempt,
    RequestRun,
    StartAttempt,
)
from fastflow_events.run.decider import run_decider
from fastflow_events.run.events import Manifest, RunAdopted, RunAttemptFinished
from fastflow_events.run.state import heir_of
from fastflow_events.settings import Settings
from fastflow_events.testing.accounts_bus import VICTIM, Bus
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    heartbeat,
    holder,
    run_claimed,
    run_requested,
    run_started,
    specification,
)
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
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
    [said] = await execute(honest, run_decider, VICTIM, end, cause=CAUSE)
    assert isinstance(said.fact, RunAttemptFinished)
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


@pytest.mark.parametrize(
    "name", ["deployer", "gateway", "external", "scheduler", "git_sync", "", "../x", "a b", "é", ".a"]
)
def test_no_runner_is_called_like_a_service_or_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractError):
        make_keys(tmp_path / "keys", runners=[name])
    assert not (tmp_path / "keys").exists()


def test_names_that_look_alike_are_two_runners(tmp_path: Path) -> None:
    names = ["a-b", "a_b", "A_B", "a.b", "A-B"]
    public = make_keys(tmp_path, runners=names)
    assert len({public[name] for name in names}) == len(names)
    text = (tmp_path / PUBLIC_FILE).read_text()
    assert all(text.count(f'nkey: "{public[name]}"') == 1 for name in names)


async def test_a_runner_is_added_by_one_command_and_reloads_and_nobody_is_disturbed(tmp_path: Path) -> None:
    keys, pid = tmp_path / "keys", tmp_path / "pid"
    config = f'include "../keys/{PUBLIC_FILE}"\npid_file: "{pid}"\n'
    before = make_keys(keys)
    with nats_server(tmp_path / "nats", config=config) as url:

        def settings(user: str) -> Settings:
            return Settings(nats_url=url, nats_seed_file=seed_path(keys, user))

        async with (
            connect(settings("deployer"), "d") as deployer,
            connect(settings("runner-1"), "r1") as first,
            connect(settings("gateway"), "g") as gateway,
            connect(settings("scheduler"), "s") as scheduler,
        ):
            await deploy(deployer)
            after = make_keys(keys, runners=["gpu.2"])
            assert {**before, **after} == after

            async def joined() -> bool:
                # The server knows what a new account imports from the second reload on.
                os.kill(int(pid.read_text()), signal.SIGHUP)
                try:
                    async with connect(settings("gpu.2"), "r2") as second:
                        rung = asyncio.Event()

                        async def ring(_: Msg) -> None:
                            rung.set()

                        await second.subscribe(subjects.FEED, cb=ring)
                        await second.flush()
                        await beat(second, heartbeat("gpu.2"))
                        log = JetStreamLog(gateway, source="/fastflow/gateway/1")
                        id = f"r-{gateway.stats['out_msgs']}"
                        await execute(log, run_decider, id, RequestRun(request=run_requested()), cause=CAUSE)
                        await asyncio.wait_for(rung.wait(), 2)
                        return True
                except (InfrastructureError, TimeoutError):
                    return False

            await eventually(joined, within_s=60)
            await beat(first, heartbeat("runner-1"))
            assert set(await heartbeats(scheduler)) == {"runner-1", "gpu.2"}
            assert [nc.stats["reconnects"] for nc in (first, gateway, scheduler, deployer)] == [0] * 4
            seed_path(keys, "gpu.2").unlink()
            assert make_keys(keys) == before

"""One fact never stops a fold: it is set aside, told, and tried again by the next build."""

from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.doubts import Doubts
from fastflow_events.envelope import headers_of, subject_of
from fastflow_events.errors import UntrustedError
from fastflow_events.execute import execute
from fastflow_events.fact import BrokenFact, Fact
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import beat, heartbeats
from fastflow_events.recorded import Cause, Position, Recorded
from fastflow_events.service.health import serve
from fastflow_events.service.projection import apply_batch, project
from fastflow_events.service.store import Store, open_store
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_requested,
    run_started,
    version_stored,
)
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.memory_log import MemoryLog
from fastflow_scheduler.adapters.state_store import SCHEMA, StateProjection
from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.core.state.limits import Limits
from fastflow_scheduler.leadership import Leadership
from fastflow_scheduler.testing import heartbeat
from nats.aio.client import Client

FOLLOWED = {"downstream": [{"pipeline": "next", "params": {"A": "$result" + ".a" * 975}}]}


def envelope(id: str, fact: Fact, *, at: str = "2026-03-01T12:00:00Z") -> tuple[str, dict[str, str]]:
    recorded = Recorded(seq=0, aggregate="run", id=id, version=9, at=NOON, source="/test", cause=CAUSE, fact=fact)
    return subject_of(recorded), headers_of(recorded) | {"ce-time": at}


async def told(log: MemoryLog, id: str, *facts: Fact) -> None:
    position = (await log.load("run", id)).position
    await log.append(position, list(facts), cause=CAUSE)


async def folded(log: MemoryLog, path: Path) -> SchedulerState:
    """The scheduler's state over everything that the log holds."""
    async with open_store(path, SCHEMA) as store:
        state = SchedulerState()
        projection = StateProjection(store, state)
        await projection.load()
        batch = [recorded async for recorded in log.read(subjects.EVENTS)]
        await apply_batch(log.doubts, store, projection, batch)
        assert await store.checkpoint() == batch[-1].seq
    return state


@pytest.mark.parametrize("depth", [130, 970, 975, 980, 5_000])
async def test_a_result_nested_too_deeply_stops_nothing_but_its_run(tmp_path: Path, depth: int) -> None:
    log = MemoryLog()
    found = [version_stored(definition=FOLLOWED), pipeline_discovered(definition=FOLLOWED)]
    await log.append(Position(aggregate="pipeline", id="hello"), found, cause=CAUSE)
    await told(log, "r1", run_requested(), run_dispatched(), run_claimed(), run_started())
    subject, headers = envelope("r1", attempt_finished())
    result = b'{"attempt":1,"runner":"runner-1","outcome":"succeeded","result":'
    await log.put(subject, headers, result + b'{"a":' * depth + b"1" + b"}" * (depth + 1))
    await told(log, "r2", run_requested())
    state = await folded(log, tmp_path / "state.db")
    assert state.runs.capacity.taken == 0
    assert not state.runs.to_end
    assert [run_id for _, run_id, _ in state.runs.run_queue.waiting()] == ["r2"]
    assert ("run", "r1") in state.doubted


@pytest.mark.parametrize(
    "time", ["2026-03-01T12:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "", "x"]
)
async def test_a_fact_of_no_certain_instant_stops_nothing_but_its_run(tmp_path: Path, time: str) -> None:
    log = MemoryLog()
    await told(log, "r1", run_requested(), run_dispatched())
    subject, headers = envelope("r1", run_claimed(), at=time)
    await log.put(subject, headers, b'{"attempt":1,"runner":"runner-1","incarnation":"i","engine":"e"}')
    await told(log, "r2", run_requested())
    state = await folded(log, tmp_path / "state.db")
    assert "r2" in state.runs.table
    assert ("run", "r1") in state.doubted
    assert state.agenda.head() is None, "the claim of a run that nobody can trust is not waited for"


@pytest.mark.nats
@pytest.mark.parametrize(
    "junk",
    [
        b"junk",
        b"\xff\x00",
        b"[" * 5_000,
        b"{}",
        b'{"runner":"runner-1"}',
        b'{"runner":"odd","incarnation":"i","engine":"e","executor":"x","slots":-5,"running":0,"pools":[],"version":"",'
        b'"at":"2026-01-01T00:00:00Z"}',
        b'{"runner":"odd","incarnation":"i","engine":"e","executor":"x","slots":1,"running":0,"pools":[],"version":"",'
        b'"at":"2026-01-01T00:00:00"}',
        b'{"runner":"runner-1","incarnation":"evil","engine":"e","executor":"x","slots":1,"running":0,"pools":[],'
        b'"version":"","at":"2026-01-01T00:00:00Z"}',
    ],
)
async def test_who_beats_junk_is_not_heard_and_the_others_are(
    nc: Client, junk: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await nc.jetstream().publish("$KV.fastflow-runners.odd", junk)
    await beat(nc, heartbeat())
    for _ in range(3):
        alive = await heartbeats(nc)
        assert list(alive) == ["runner-1"]
        assert alive["runner-1"].incarnation == "i1"
    assert [r.levelname for r in caplog.records].count("ERROR") <= 1


class Picky:
    """Cannot take facts of one run."""

    name = "picky"
    subject = subjects.EVENTS

    def __init__(self, store: Store, dislikes: str = "bad") -> None:
        self._store = store
        self._dislikes = dislikes
        self.seen: list[str] = []
        self.doubted: list[tuple[str, str]] = []
        self.at = 0

    async def apply(self, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            if recorded.id == self._dislikes:
                raise RuntimeError(f"cannot take 'a secret' of {recorded.id}")
        self.seen += [recorded.id for recorded in batch]

    def doubt(self, aggregate: str, id: str) -> None:
        self.doubted.append((aggregate, id))

    def committed(self, seq: int) -> None:
        self.at = seq


async def test_a_fact_that_a_fold_cannot_take_is_set_aside_and_the_others_are_folded(tmp_path: Path) -> None:
    log = MemoryLog()
    for id in ("a", "bad", "b"):
        await told(log, id, run_requested())
    async with open_store(tmp_path / "x.db", "") as store:
        picky = Picky(store)
        async with background(project(log, store, picky)):
            await eventually(lambda: picky.at == 3)
            await told(log, "c", run_requested())
            await eventually(lambda: picky.at == 4)
        assert picky.seen == ["a", "b", "c"]
        assert picky.doubted == [("run", "bad")]
        [aside] = await store.aside()
        assert (aside.fold, aside.seq, aside.type) == ("picky", 2, "run.requested.v1")
        assert aside.error == "RuntimeError: cannot take … of bad", "what an error quotes may be somebody's secret"
    command = RequestCancel(who="ann")
    with pytest.raises(UntrustedError, match="run bad cannot be trusted, so nothing is decided about it: its fact 2"):
        await execute(log, run_decider, "bad", command, cause=CAUSE)
    assert await execute(log, run_decider, "a", command, cause=CAUSE)


async def test_what_was_set_aside_is_doubted_after_a_restart_and_folded_by_the_next_build(tmp_path: Path) -> None:
    log = MemoryLog()
    for id in ("a", "bad"):
        await told(log, id, run_requested())
    batch = [recorded async for recorded in log.read(subjects.EVENTS)]
    async with open_store(tmp_path / "x.db", "") as store:
        await apply_batch(log.doubts, store, Picky(store), batch)
    log.doubts = Doubts()
    async with open_store(tmp_path / "x.db", "") as store:
        again = Picky(store)
        async with background(project(log, store, again)):
            await eventually(lambda: again.at == 2)
        assert (again.seen, again.doubted) == ([], [("run", "bad")])
        assert log.doubts.why("run", "bad")
    log.doubts = Doubts()
    async with open_store(tmp_path / "x.db", "", "another build") as store:
        wiser = Picky(store, dislikes="nobody")
        async with background(project(log, store, wiser)):
            await eventually(lambda: wiser.at == 2)
        assert (wiser.seen, wiser.doubted, await store.aside()) == (["a", "bad"], [], [])
        assert log.doubts.report() is None


async def test_health_says_degraded_and_names_what_was_set_aside(tmp_path: Path) -> None:
    log = MemoryLog()
    await told(log, "bad", run_requested())
    async with (
        open_store(tmp_path / "x.db", "") as store,
        serve("127.0.0.1", 0, {}, log.doubts) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        assert (await http.get("/health/ready")).json() == {"status": "ok", "broken": {}, "set_aside": None}
        await apply_batch(log.doubts, store, Picky(store), [r async for r in log.read(subjects.EVENTS)])
        answer = await http.get("/health/ready")
        assert answer.status_code == 200, "a restart would not help, so nobody is made to try"
        assert answer.json()["status"] == "degraded"
        [fact] = answer.json()["set_aside"]["facts"]
        assert (fact["fold"], fact["aggregate"], fact["id"], fact["seq"]) == ("picky", "run", "bad", 1)
        assert 'fastflow_facts_set_aside_total{fold="picky"}' in (await http.get("/metrics")).text


async def test_a_doubted_pipeline_starts_fires_and_chains_nothing(tmp_path: Path) -> None:
    log = MemoryLog()
    cause = Cause(correlation_id="c")
    told_of = [version_stored(definition={"cron": "* * * * *"}), pipeline_discovered(definition={"cron": "* * * * *"})]
    await log.append(Position(aggregate="pipeline", id="hello"), told_of, cause=cause)
    await told(log, "r1", run_requested())
    await log.put("fastflow.evt.pipeline.hello.changed", {}, b"?")
    state = await folded(log, tmp_path / "state.db")
    [(_, run_id, lane)] = state.runs.run_queue.waiting()
    assert run_id == "r1"
    blocked = state.runs.capacity.blocked(lane)
    assert blocked is not None
    assert "cannot be read" in str(blocked.reason)
    assert all(state.schedules.rests(plan) for plan in state.schedules.plans.values())
    assert state.runs.run_queue.pick(state.runs.capacity) is None


async def test_a_definition_of_another_release_is_told_and_stops_nothing(tmp_path: Path) -> None:
    log = MemoryLog()
    newer = {"kind": "hologram", "schedules": 7}
    told_of = [version_stored(definition=newer), pipeline_discovered(definition=newer)]
    await log.append(Position(aggregate="pipeline", id="newer"), told_of, cause=CAUSE)
    await log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
    state = await folded(log, tmp_path / "state.db")
    assert state.pipelines.definition("hello") is not None
    assert ("pipeline", "newer") in state.doubted
    told = log.doubts.report()
    assert told is not None
    assert all("does not know" in fact.error for fact in told.facts)


@pytest.mark.nats
@pytest.mark.parametrize(
    "headers", [{"Status": "204"}, {"Status": "404", "Description": "none"}, {"Nats-Sequence": "x"}, {}]
)
async def test_no_header_of_a_stored_message_hides_it_or_what_follows(
    nc: Client, jetstream_log: JetStreamLog, headers: dict[str, str]
) -> None:
    log = jetstream_log
    await log.append(Position(aggregate="run", id="r1"), [run_requested()], cause=CAUSE)
    await nc.jetstream().publish("fastflow.evt.run.r1.finished", b"?", headers=headers)
    await log.append(Position(aggregate="run", id="r2"), [run_requested()], cause=CAUSE)
    facts = [recorded async for recorded in log.read(subjects.EVENTS)]
    assert [recorded.seq for recorded in facts] == [1, 2, 3]
    assert isinstance(facts[1].fact, BrokenFact)
    assert (facts[1].aggregate, facts[1].id) == ("run", "r1")
    assert (await log.load("run", "r1")).position.seq == 2
    with pytest.raises(UntrustedError, match="cannot be trusted"):
        await execute(log, run_decider, "r1", RequestCancel(who="ann"), cause=CAUSE)


async def test_the_lead_of_the_queue_is_taken_over_whatever_somebody_put_there(
    nc: Client, jetstream_log: JetStreamLog
) -> None:
    async def key(leader: object, *, expected_seq: int) -> int:
        return expected_seq + 1

    leadership = Leadership(key, jetstream_log, "one", Limits())
    assert await leadership.turn()
    await nc.jetstream().publish("fastflow.evt.queue.main.leased", b"?")
    leadership.step_down("for a test")
    assert await leadership.turn()
    assert leadership.term == 2

"""The log in memory and the log on JetStream keep the same promises."""

import asyncio
from collections.abc import Callable

import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.queue.events import QueueLeased
from fastflow_events.aggregates.run.commands import ClaimAttempt, RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.errors import ConcurrencyError, ContractError
from fastflow_events.execute import execute
from fastflow_events.fact import Fact
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause, Position, Recorded
from fastflow_events.testing.builders import (
    CAUSE,
    cancel_requested,
    holder,
    run_claimed,
    run_dispatched,
    run_requested,
)
from fastflow_events.testing.memory_log import MemoryLog

NEW = Position(aggregate="run", id="r1")


@pytest.fixture(params=["memory", pytest.param("jetstream", marks=pytest.mark.nats)])
def log(request: pytest.FixtureRequest) -> EventLog:
    if request.param == "memory":
        return MemoryLog()
    found: EventLog = request.getfixturevalue("jetstream_log")
    return found


async def test_what_was_appended_is_loaded_with_its_envelope(log: EventLog) -> None:
    cause = Cause(correlation_id="c-1", causation_id="pipeline/é/3", traceparent="00-" + "a" * 32)
    appended = await log.append(NEW, [run_requested(), run_dispatched()], cause=cause)
    history = await log.load("run", "r1")
    assert [r.written for r in history.recorded] == appended
    assert [r.version for r in appended] == [1, 2]
    assert [r.seq for r in appended] == [1, 2]
    assert appended[1].event_id == "run/r1/2"
    assert appended[1].cause == cause
    assert history.position == Position(aggregate="run", id="r1", seq=2, version=2)


async def test_an_unknown_aggregate_has_an_empty_history(log: EventLog) -> None:
    history = await log.load("run", "nobody")
    assert history.facts == ()
    assert history.position == Position(aggregate="run", id="nobody")


async def test_a_stale_writer_is_refused_and_leaves_nothing_behind(log: EventLog) -> None:
    await log.append(NEW, [run_requested()], cause=CAUSE)
    with pytest.raises(ConcurrencyError):
        await log.append(NEW, [run_requested()], cause=CAUSE)
    with pytest.raises(ConcurrencyError):
        await log.append(NEW, [run_requested(), cancel_requested()], cause=CAUSE)
    assert (await log.load("run", "r1")).facts == (run_requested(),)


async def test_ten_who_create_at_once_create_once(log: EventLog) -> None:
    command = RequestRun(request=run_requested())
    answers = await asyncio.gather(*(execute(log, run_decider, "r1", command, cause=CAUSE) for _ in range(10)))
    assert sum(len(answer) for answer in answers) == 1
    assert (await log.load("run", "r1")).facts == (run_requested(),)


async def test_two_who_claim_at_once_are_one_holder_and_one_fenced(log: EventLog) -> None:
    await log.append(NEW, [run_requested(), run_dispatched()], cause=CAUSE)
    claims = [ClaimAttempt(attempt=1, holder=holder(runner=f"runner-{n}", incarnation=f"i{n}")) for n in (1, 2)]
    answers = await asyncio.gather(
        *(execute(log, run_decider, "r1", claim, cause=CAUSE) for claim in claims), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["FencedError", "list"]


async def test_aggregates_do_not_disturb_each_other(log: EventLog) -> None:
    other = Position(aggregate="run", id="r1.x")
    await log.append(NEW, [run_requested()], cause=CAUSE)
    await log.append(other, [run_requested(pipeline="other")], cause=CAUSE)
    await log.append((await log.load("run", "r1")).position, [cancel_requested()], cause=CAUSE)
    assert len((await log.load("run", "r1")).facts) == 2
    assert (await log.load("run", "r1.x")).facts == (run_requested(pipeline="other"),)


async def test_a_guard_is_checked_instead_of_the_aggregate(log: EventLog) -> None:
    queue = Position(aggregate="queue", id="main")
    await log.append(NEW, [run_requested()], cause=CAUSE)
    [leased] = await log.append(queue, [QueueLeased(term=1, leader="a")], cause=CAUSE)
    guard = Position(aggregate="queue", id="main", seq=leased.seq, version=1)
    await log.append(NEW, [run_dispatched()], cause=CAUSE, guard=guard)
    await log.append(guard, [QueueLeased(term=2, leader="b")], cause=CAUSE)
    with pytest.raises(ConcurrencyError):
        await log.append(NEW, [run_dispatched()], cause=CAUSE, guard=guard)


async def test_a_follower_sees_everything_once_and_in_order(log: EventLog) -> None:
    await log.append(NEW, [run_requested()], cause=CAUSE)
    seen: list[Recorded] = []

    async def follow() -> None:
        async for batch in log.follow(subjects.of_kind("run"), after_seq=0):
            seen.extend(batch)
            if len(seen) == 21:
                return

    follower = asyncio.create_task(follow())
    for n in range(20):
        position = (await log.load("run", "r1")).position
        await log.append(position, [cancel_requested(why=str(n))], cause=CAUSE)
    await asyncio.wait_for(follower, 20)
    assert [r.seq for r in seen] == list(range(1, 22))


async def test_a_follower_begins_after_its_position_and_reads_its_subject_only(log: EventLog) -> None:
    await log.append(NEW, [run_requested(), run_dispatched(), run_claimed()], cause=CAUSE)
    await log.append(Position(aggregate="queue", id="main"), [QueueLeased(term=1, leader="a")], cause=CAUSE)

    async def first(subject: str, after_seq: int) -> list[int]:
        async for batch in log.follow(subject, after_seq=after_seq):
            return [r.seq for r in batch]
        return []

    assert await first(subjects.EVENTS, 2) == [3, 4]
    assert await first(subjects.event("run", fact="dispatched", scope="default"), 0) == [2]
    assert await first(subjects.of_kind("queue"), 0) == [4]


async def test_reading_ends_and_can_be_limited(log: EventLog) -> None:
    facts: list[Fact] = [run_requested(), run_dispatched(), run_claimed()]
    await log.append(NEW, facts, cause=CAUSE)
    assert [r.seq async for r in log.read(subjects.EVENTS)] == [1, 2, 3]
    assert [r.seq async for r in log.read(subjects.EVENTS, after_seq=1, limit=1)] == [2]
    assert await log.last_seq() == 3
    assert await log.last_seq(subjects.event("run", fact="dispatched", scope=subjects.ANY)) == 2
    assert await log.last_seq(subjects.of_kind("queue")) == 0


async def test_a_fact_that_is_too_large_is_refused(log: EventLog) -> None:
    with pytest.raises(ContractError, match="64 kB"):
        await log.append(NEW, [run_requested(env={"A": "x" * 70_000})], cause=CAUSE)
    assert await log.last_seq() == 0


@pytest.mark.parametrize("make", [lambda n: f"pipeline {n}.é", lambda n: "x" * 60 + str(n)])
async def test_an_aggregate_may_have_any_name(log: EventLog, make: Callable[[int], str]) -> None:
    for n in range(3):
        position = Position(aggregate="pipeline", id=make(n))
        await log.append(position, [cancel_requested(why=str(n))], cause=CAUSE)
    [recorded] = (await log.load("pipeline", make(1))).recorded
    assert recorded.id == make(1)

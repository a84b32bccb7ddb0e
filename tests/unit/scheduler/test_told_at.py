"""Since when things count: by the clock of the server, which is one for all who write facts."""

from datetime import timedelta

from fastflow_events.aggregates.schedule.events import SchedulePaused, ScheduleSet
from fastflow_events.envelope import Reader, body_of, headers_of, subject_of
from fastflow_events.fact import Fact
from fastflow_events.recorded import Recorded
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_requested,
    run_started,
)
from fastflow_scheduler.testing.world import World

FAST = timedelta(days=1)
"""How far the clock of the writer is ahead."""
EVERY = ScheduleSet(pipeline="hello", name="often", interval_s=60)


def stored(seq: int, aggregate: str, id: str, fact: Fact, **headers: str) -> Recorded:
    written = Recorded(
        seq=seq, aggregate=aggregate, id=id, version=1, at=NOON + FAST, source="/x/y/z", cause=CAUSE, fact=fact
    )
    return Reader().recorded(seq, subject_of(written), {**headers_of(written), **headers}, body_of(fact))


def by_the_server(seq: int, aggregate: str, id: str, fact: Fact) -> Recorded:
    return stored(seq, aggregate, id, fact, **{"Nats-Time-Stamp": "2026-03-01T12:00:00.123456789Z"})


def test_a_fact_knows_when_the_server_stored_it() -> None:
    found = by_the_server(1, "schedule", "hello:often", EVERY)
    assert (found.at, found.told_at) == (NOON + FAST, NOON.replace(microsecond=123456))
    assert found.written == stored(1, "schedule", "hello:often", EVERY)


def test_where_the_server_says_nothing_sensible_its_writer_is_believed() -> None:
    for found in ({}, {"Nats-Time-Stamp": ""}, {"Nats-Time-Stamp": "now"}, {"Nats-Time-Stamp": "2026-03-01T12:00:00"}):
        assert stored(1, "schedule", "hello:often", EVERY, **found).told_at == NOON + FAST


async def test_schedules_and_pauses_count_from_when_the_server_stored_them() -> None:
    scheduler = await World().scheduler()
    state = scheduler.deps.state
    daily = pipeline_discovered(definition={"schedules": [{"id": "nightly", "cron": "0 3 * * *"}]})
    state.apply(by_the_server(1, "pipeline", "hello", daily))
    state.apply(by_the_server(2, "schedule", "hello:often", EVERY))
    state.apply(by_the_server(3, "schedule", "hello:often", SchedulePaused(who="me")))
    found = NOON.replace(microsecond=123456)
    plans = [state.schedules.plans.get(f"hello:{name}") for name in ("nightly", "often")]
    assert [(plan.since, plan.timetable.anchor) for plan in plans if plan] == [(found, found)] * 2
    often = plans[1]
    assert often is not None
    assert [span.start for span in state.schedules.pauses_of(often)] == [found]


async def test_neither_places_in_the_queue_nor_retries_depend_on_the_clock_of_a_writer() -> None:
    scheduler = await World().scheduler()
    state = scheduler.deps.state
    found = NOON.replace(microsecond=123456)
    state.apply(by_the_server(1, "run", "r1", run_requested()))
    queued = state.runs.table.get("r1")
    assert queued is not None
    assert (queued.since, queued.touched_at) == (found, found)
    facts = [run_dispatched(), run_claimed(), run_started(), attempt_finished(outcome="failed", exit_code=1)]
    for seq, fact in enumerate(facts, start=2):
        state.apply(by_the_server(seq, "run", "r1", fact))
    ended = state.runs.table.get("r1")
    assert ended is not None
    assert (ended.run.phase, ended.touched_at) == ("ended", found)

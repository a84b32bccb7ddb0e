"""Since when a schedule counts: by the clock of the server, which is one for all who set schedules."""

from datetime import timedelta

from fastflow_events.envelope import Reader, body_of, headers_of, subject_of
from fastflow_events.fact import Fact
from fastflow_events.recorded import Recorded
from fastflow_events.schedule.events import SchedulePaused, ScheduleSet
from fastflow_events.testing.builders import CAUSE, NOON, pipeline_discovered
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
    told = by_the_server(1, "schedule", "hello:often", EVERY)
    assert (told.at, told.told_at) == (NOON + FAST, NOON.replace(microsecond=123456))
    assert told.written == stored(1, "schedule", "hello:often", EVERY)


def test_where_the_server_says_nothing_sensible_its_writer_is_believed() -> None:
    for said in ({}, {"Nats-Time-Stamp": ""}, {"Nats-Time-Stamp": "now"}, {"Nats-Time-Stamp": "2026-03-01T12:00:00"}):
        assert stored(1, "schedule", "hello:often", EVERY, **said).told_at == NOON + FAST


async def test_schedules_and_pauses_count_from_when_the_server_stored_them() -> None:
    scheduler = await World().scheduler()
    book = scheduler.deps.book
    daily = pipeline_discovered(definition={"schedules": [{"id": "nightly", "cron": "0 3 * * *"}]})
    book.apply(by_the_server(1, "pipeline", "hello", daily))
    book.apply(by_the_server(2, "schedule", "hello:often", EVERY))
    book.apply(by_the_server(3, "schedule", "hello:often", SchedulePaused(who="me")))
    told = NOON.replace(microsecond=123456)
    plans = [book.schedules.plans.get(f"hello:{name}") for name in ("nightly", "often")]
    assert [(plan.since, plan.timetable.anchor) for plan in plans if plan] == [(told, told)] * 2
    often = plans[1]
    assert often is not None
    assert [span.start for span in book.schedules.pauses_of(often)] == [told]

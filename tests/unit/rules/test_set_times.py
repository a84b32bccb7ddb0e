"""The times of a schedule that somebody set over the API: what can be kept, and what is passed over."""

from datetime import UTC, datetime, timedelta

import pytest
from fastflow_cli.commands.backfills import body_of, progress
from fastflow_cli.commands.schedules import schedule_row
from fastflow_cli.errors import UsageError
from fastflow_cli.instants import moment, seconds
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.aggregates.schedule.events import ScheduleSet
from fastflow_events.errors import ContractError
from fastflow_events.testing.builders import NOON
from fastflow_rules.schedules.times import fault_of, in_utc
from fastflow_scheduler.testing.world import World


@pytest.mark.parametrize(
    ("member", "fields"),
    [
        ("cron", {}),
        ("cron", {"cron": "* * * * *", "interval_s": 60}),
        ("cron", {"cron": "soon"}),
        ("interval_s", {"interval_s": 0.5}),
        ("interval_s", {"interval_s": float("nan")}),
        ("timezone", {"cron": "@daily", "timezone": "Berlin"}),
        ("timezone", {"cron": "@daily", "timezone": "../etc/passwd"}),
        ("start", {"interval_s": 60, "start": datetime(2026, 1, 1)}),  # noqa: DTZ001 - it is what is refused
        ("end", {"interval_s": 60, "start": NOON, "end": NOON}),
        ("jitter_s", {"interval_s": 60, "jitter_s": -1}),
        ("priority", {"interval_s": 60, "priority": 2000}),
    ],
)
def test_times_that_cannot_be_kept_are_refused_with_the_member(member: str, fields: dict[str, object]) -> None:
    fault = fault_of(ScheduleSet(pipeline="hello", name="x", **fields))  # type: ignore[arg-type]
    assert fault is not None
    assert fault.member == member


def test_an_instant_without_a_zone_means_utc() -> None:
    found = in_utc(ScheduleSet(pipeline="hello", name="x", at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the same
    assert found.at == datetime(2026, 1, 1, tzinfo=UTC)
    assert fault_of(found) is None


async def test_a_schedule_that_cannot_be_kept_stops_no_other() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", cron="* * * * *")
    nowhere = ScheduleSet(pipeline="hello", name="nowhere", cron="* * * * *", timezone="Nowhere/Atall")
    await world.append("schedule", "hello:nowhere", [nowhere])
    await world.advance(60)
    asked = [r.fact for r in await world.facts(RunRequested)]
    assert [fact.trigger.schedule for fact in asked if isinstance(fact, RunRequested)] == ["hello:default"]


async def test_an_instant_without_a_zone_does_not_get_into_the_log() -> None:
    naive = ScheduleSet(pipeline="hello", name="naive", interval_s=60, start=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ContractError, match="without a zone"):
        await World().append("schedule", "hello:naive", [naive])


def test_spans_and_instants_are_read_as_people_type_them() -> None:
    assert [seconds("--every", text) for text in ("90", "90s", "15m", "1.5h", "1d", "2w")] == [
        90,
        90,
        900,
        5400,
        86_400,
        1_209_600,
    ]
    day = datetime(2026, 1, 31, tzinfo=UTC)
    assert moment("--at", "2026-01-31") == day
    assert moment("--at", "2026-01-31T09:00:00+01:00") == day + timedelta(hours=8)
    assert moment("--end", "2026-01-31", end_of_day=True) == day + timedelta(days=1, microseconds=-1)
    for wrong in ("soon", "-5m", ""):
        with pytest.raises(UsageError, match="--every"):
            seconds("--every", wrong)
        with pytest.raises(UsageError, match="--at"):
            moment("--at", wrong)


def test_a_backfill_includes_both_ends_and_tells_how_far_it_is() -> None:
    body = body_of("nightly", since="2026-01-01", until="2026-01-01T03:00:00Z", everything=False)
    assert (body["after"], body["until"]) == ("2025-12-31T23:59:59.999999Z", "2026-01-01T03:00:00Z")
    with pytest.raises(UsageError):
        body_of("nightly", since="2026-01-02", until="2026-01-01", everything=False)
    found = {"total": 3, "by_status": {"queued": 1, "succeeded": 1}, "cancelled": True}
    assert progress(found) == ["2 of 3 runs were asked for, it is cancelled", "      1 queued", "      1 succeeded"]


def test_a_schedule_is_one_line() -> None:
    item = {
        "pipeline": "hello",
        "name": "often",
        "source": "api",
        "does": "restart",
        "cron": None,
        "interval_s": 900.0,
        "at": None,
        "timezone": "UTC",
        "enabled": True,
        "paused": False,
        "paused_by": [],
        "next": ["2026-01-01T00:15:00Z"],
    }
    row = ("hello", "often", "api", "restart every 15 min", "", "on", "2026-01-01 00:15:00Z")
    assert schedule_row(item) == row
    states = [
        schedule_row({**item, "paused": True, "paused_by": by})[5] for by in (["schedule"], ["schedule", "pipeline"])
    ]
    assert states == ["paused", "paused (pipeline)"]

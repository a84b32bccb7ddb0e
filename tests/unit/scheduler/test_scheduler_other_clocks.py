"""Clocks of others that are wrong, our own that is behind, and a death between two appends of one decision."""

from datetime import datetime, timedelta

import pytest
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.events import (
    RunAttemptFinished,
    RunCancelRequested,
    RunRequested,
    RunRetryScheduled,
)
from fastflow_events.ids import run_id_of_fire
from fastflow_events.testing.builders import NOON
from fastflow_rules.schedules.planned import RESTART
from fastflow_scheduler.core.clocks import behind
from fastflow_scheduler.testing.world import World
from fastflow_scheduler.trusted_clock import TrustedClock
from msgspec.structs import replace


@pytest.mark.parametrize("wrong_h", [-5, 0, 5])
async def test_a_retry_waits_from_the_end_by_the_logs_clock_whatever_its_runners_says(wrong_h: int) -> None:
    world = World()
    scheduler = await world.scheduler()
    await world.pipeline("hello", retry_attempts=1, retry_strategy={"delay_s": 600})
    await world.request("r1")
    await world.settle()
    await world.finish("r1", outcome="failed", exit_code=1)
    found, apply = world.now, scheduler.state.apply

    def apply_wrong(recorded, version=None):  # type: ignore[no-untyped-def]
        if isinstance(recorded.fact, RunAttemptFinished):
            recorded = replace(recorded, at=recorded.at + timedelta(hours=wrong_h), stored_at=found)
        apply(recorded, version)

    scheduler.state.apply = apply_wrong  # type: ignore[method-assign]
    await world.settle()
    [scheduled] = [r.fact for r in await world.facts(RunRetryScheduled)]
    assert isinstance(scheduled, RunRetryScheduled)
    assert scheduled.due == found + timedelta(seconds=600)


@pytest.mark.parametrize("hours", [1, 24 * 365])
async def test_a_clock_that_is_behind_is_put_right_by_the_servers_and_goes_on_with_it(hours: int) -> None:
    wall, steady, server = NOON - timedelta(hours=hours), 0.0, NOON

    async def read() -> datetime:
        return server

    clock = TrustedClock(lambda: wall, lambda: steady, read)
    assert await clock.now() == NOON
    wall, steady = wall + timedelta(seconds=7), 7.0
    assert await clock.now() == NOON + timedelta(seconds=7)
    wall, steady, server = NOON + timedelta(seconds=8), 8.0, NOON + timedelta(seconds=8)  # somebody set it
    assert await clock.now() == NOON + timedelta(seconds=8)


def test_what_the_server_read_a_while_ago_makes_no_clock_late() -> None:
    assert behind(NOON, NOON - timedelta(seconds=5)) == timedelta()
    assert behind(NOON, NOON + timedelta(seconds=5)) == timedelta()
    assert behind(NOON, NOON + timedelta(seconds=6)) == timedelta(seconds=6)


@pytest.mark.parametrize("cancelled", ["r1", "r2", "r3"])
async def test_a_death_between_two_cancels_of_a_restart_leaves_no_run_as_it_was(cancelled: str) -> None:
    world = World()
    await world.scheduler(leads=True)
    await world.pipeline("hello", restart_interval="600", restart_cooldown_s=30)
    runs = ["r1", "r2", "r3"]
    for run_id in runs:
        await world.request(run_id)
    await world.settle()
    for run_id in runs:
        await world.claim(run_id)
    await world.settle()
    dead = world.schedulers.pop()
    nominal = NOON + timedelta(seconds=600)
    world.now = nominal
    command = RequestCancel(who="scheduler", why="…", kind="restart", schedule=f"hello:{RESTART}", nominal=nominal)
    await world.tell(cancelled, command)  # and here it died
    await world.finish(cancelled, outcome="failed", signal=15)
    assert dead.state.seq < await world.log.last_seq()
    await world.scheduler()
    await world.settle()
    cancels = await world.facts(RunCancelRequested)
    assert sorted(r.id for r in cancels) == runs
    for run_id in runs:
        if run_id != cancelled:
            await world.finish(run_id, outcome="failed", signal=15)
    await world.settle()
    await world.advance(31, step_s=10)
    new = [r.id for r in await world.facts(RunRequested) if r.id not in runs]
    assert new == [run_id_of_fire("hello", RESTART, nominal)]

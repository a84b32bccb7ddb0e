"""Runners that are silent: whose attempts are lost, when, and what becomes of them. And clocks that jump."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.aggregates.run.events import RunFinished, RunLost, RunRequested
from fastflow_events.errors import InfrastructureError
from fastflow_events.testing.builders import NOON, holder
from fastflow_rules.liveness import Liveness
from fastflow_scheduler.heartbeat_monitor import give_up, listen
from fastflow_scheduler.testing import heartbeat
from fastflow_scheduler.testing.world import World
from fastflow_scheduler.trusted_clock import TrustedClock

LEASE_S, LOST_AFTER_S = 15.0, 100.0


class Listener:
    """One scheduler's ear, on a clock of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.liveness = Liveness(lease_s=LEASE_S, lost_after_s=LOST_AFTER_S)
        self.last: dict[Holder, datetime] = {}

    async def hear(self, *runners: str, at_s: float) -> None:
        now = NOON + timedelta(seconds=at_s)
        alive = {name: heartbeat(name, at=now) for name in runners}
        scheduler = self.world.schedulers[0]
        listen(scheduler.deps.state, alive, self.liveness, at_s, asyncio.Event())
        living = {holder(runner=name) for name in runners}
        self.last |= dict.fromkeys(living, now)
        await scheduler.fold()
        await give_up(scheduler.deps, self.last, living, self.liveness, at_s)
        await self.world.settle()


async def running(**definition: Any) -> tuple[World, Listener]:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", **definition)
    await world.request("r1")
    await world.settle()
    await world.claim("r1")
    await world.settle()
    return world, Listener(world)


async def test_a_silent_runner_keeps_its_place_until_it_is_given_up() -> None:
    world, ear = await running()
    await ear.hear("runner-1", at_s=0)
    for at_s in range(9, 100, 10):
        await ear.hear(at_s=at_s)
    assert await world.facts(RunLost) == []
    assert world.schedulers[0].state.runs.capacity.taken == 1
    await ear.hear(at_s=101)
    [lost] = await world.facts(RunLost)
    assert isinstance(lost.fact, RunLost)
    assert (lost.fact.runner, lost.fact.last_heartbeat) == ("runner-1", NOON)
    [end] = [r.fact for r in await world.facts(RunFinished)]
    assert isinstance(end, RunFinished)
    assert end.outcome == "lost"
    assert world.schedulers[0].state.runs.capacity.taken == 0


async def test_whoever_was_deaf_gives_nobody_up_before_two_leases_and_a_margin() -> None:
    world, ear = await running()
    await ear.hear("runner-1", at_s=0)
    ear.liveness.deaf()
    for at_s in (300, 312, 324, 334):
        await ear.hear(at_s=at_s)
    assert await world.facts(RunLost) == []
    await ear.hear(at_s=336)
    assert len(await world.facts(RunLost)) == 1


async def test_whoever_was_stopped_with_everybody_else_gives_nobody_up_for_that() -> None:
    world, ear = await running()
    await ear.hear("runner-1", at_s=0)
    await ear.hear(at_s=5000)  # the server forgot it while nobody could speak
    await ear.hear(at_s=5010)
    assert await world.facts(RunLost) == []
    await ear.hear("runner-1", at_s=5012)
    for at_s in range(5020, 5110, 10):
        await ear.hear(at_s=at_s)
    assert await world.facts(RunLost) == []
    await ear.hear(at_s=5113)
    assert len(await world.facts(RunLost)) == 1


async def test_a_lost_attempt_runs_again_only_if_its_pipeline_wants_that() -> None:
    world, ear = await running(retry_on_lost=True)
    await ear.hear("runner-1", at_s=0)
    for at_s in range(1, 102, 10):
        await ear.hear("runner-2", at_s=at_s)
    assert (await world.run("r1")).phase == "dispatched"
    assert (await world.run("r1")).attempt == 2


async def test_a_runner_that_comes_back_in_time_is_believed() -> None:
    world, ear = await running()
    await ear.hear("runner-1", at_s=0)
    await ear.hear(at_s=90)
    await ear.hear("runner-1", at_s=95)
    await ear.hear(at_s=190)
    assert await world.facts(RunLost) == []


class Server:
    """The server's clock, or the lack of it."""

    def __init__(self) -> None:
        self.at: datetime | None = NOON
        self.away = False
        self.wall = NOON
        self.steady = 0.0

    async def read(self) -> datetime | None:
        if self.away:
            raise InfrastructureError("away")
        return self.at

    def clock(self) -> TrustedClock:
        return TrustedClock(lambda: self.wall, lambda: self.steady, self.read)


async def test_a_clock_is_believed_when_the_server_agrees_and_not_before() -> None:
    server = Server()
    server.away = True
    clock = server.clock()
    assert await clock.now() is None
    server.away, server.at = False, None
    assert await clock.now() is None
    server.at = NOON
    assert await clock.now() == NOON


async def test_a_clock_that_jumps_a_day_ahead_holds_until_it_agrees_again() -> None:
    server = Server()
    clock = server.clock()
    assert await clock.now() == NOON
    server.wall, server.steady = NOON + timedelta(days=1), 1.0
    assert await clock.now() is None
    server.steady = 2.0
    assert await clock.now() is None
    server.wall, server.steady = NOON + timedelta(seconds=3), 3.0
    assert await clock.now() == server.wall


async def test_a_machine_that_slept_goes_on_as_soon_as_the_server_says_the_same() -> None:
    server = Server()
    clock = server.clock()
    await clock.now()
    server.wall, server.steady = NOON + timedelta(hours=8), 1.0
    assert await clock.now() is None
    server.at = NOON + timedelta(hours=8)
    assert await clock.now() == server.wall


async def test_fires_are_held_while_the_clock_is_ahead_and_at_most_one_is_made_up_for() -> None:
    world = World(datetime(2026, 5, 1, tzinfo=UTC))
    scheduler = await world.scheduler()
    await world.pipeline("hello", cron="*/5 * * * *")
    await world.settle()
    server = Server()
    server.wall = server.at = world.now
    clock = server.clock()
    scheduler.now = clock.now  # type: ignore[method-assign]
    server.wall += timedelta(days=1)
    await world.settle()
    assert await world.facts(RunRequested) == []
    world.now += timedelta(minutes=31)
    server.wall = server.at = world.now
    await world.settle()
    assert len(await world.facts(RunRequested)) == 1

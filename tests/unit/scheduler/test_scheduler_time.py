"""Schedules and repositories through the scheduler, on a log in memory, minute by minute."""

from datetime import UTC, datetime, timedelta

import pytest
from fastflow_events.aggregates.pipeline.events import PipelineInvalid, PipelinePaused, PipelineResumed
from fastflow_events.aggregates.repository.events import (
    RepositoryConfigured,
    RepositoryOverdue,
    RepositorySynced,
    RepositorySyncFailed,
    RepositorySyncRequested,
)
from fastflow_events.aggregates.run.events import RunRejected, RunRequested
from fastflow_events.aggregates.schedule.events import (
    ScheduleFireMissed,
    ScheduleFireSkipped,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSet,
)
from fastflow_events.aggregates.setting.events import SettingsPaused, SettingsResumed
from fastflow_events.testing.builders import COMMIT, NOON, TREE
from fastflow_scheduler.testing.world import World

NIGHT = datetime(2026, 3, 1, 23, 59, 30, tzinfo=UTC)


async def requests(world: World, pipeline: str = "hello") -> list[RunRequested]:
    found = [r.fact for r in await world.facts(RunRequested) if isinstance(r.fact, RunRequested)]
    return [fact for fact in found if fact.pipeline == pipeline]


async def nominals(world: World, pipeline: str = "hello") -> list[str]:
    found = [fact.trigger.nominal for fact in await requests(world, pipeline)]
    return [at.strftime("%H:%M") for at in found if at is not None]


async def not_fired(world: World) -> list[tuple[str, int]]:
    facts = [r.fact for kind in (ScheduleFireMissed, ScheduleFireSkipped) for r in await world.facts(kind)]
    return [(f.reason, f.count) for f in facts if isinstance(f, ScheduleFireMissed | ScheduleFireSkipped)]


async def test_a_schedule_fires_at_each_of_its_instants_once() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", cron="*/10 * * * *", priority=4)
    await world.advance(3600, step_s=60)
    assert await nominals(world) == ["12:10", "12:20", "12:30", "12:40", "12:50", "13:00"]
    first = (await requests(world))[0]
    assert (first.trigger.kind, first.trigger.schedule, first.commit, first.priority) == (
        "schedule",
        "hello:default",
        COMMIT,
        4,
    )


async def test_any_number_of_replicas_with_wrong_clocks_fires_once() -> None:
    world = World()
    for skew in (-2, -1, 0, 1, 2):
        await world.scheduler(skew_s=skew, leads=skew == 0)
    await world.pipeline("hello", cron="* * * * *")
    await world.advance(600, step_s=1)
    assert len(await nominals(world)) in (10, 11)
    assert len(set(await nominals(world))) == len(await nominals(world))
    assert await not_fired(world) == []


@pytest.mark.parametrize(
    ("policy", "fires", "missed"), [("skip", 1, 2), ("latest", 1, 2), ("all", 3, 0)], ids=["skip", "latest", "all"]
)
async def test_an_outage_of_three_minutes_follows_the_catch_up(policy: str, fires: int, missed: int) -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", cron="* * * * *", catchup={"policy": policy})
    await world.advance(60)
    world.schedulers.clear()
    world.now += timedelta(minutes=3)
    await world.scheduler()
    await world.settle()
    assert len(await nominals(world)) == 1 + fires
    assert sum(count for _, count in await not_fired(world)) == missed


async def test_a_fire_that_was_meant_while_paused_is_skipped_and_not_missed() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", cron="* * * * *", catchup={"policy": "all"})
    await world.pipeline("other", cron="* * * * *")
    await world.settle()
    await world.append("schedule", "hello:default", [SchedulePaused(who="ann")])
    await world.advance(300, step_s=30)
    assert (await nominals(world), len(await nominals(world, "other"))) == ([], 5)
    await world.append("schedule", "hello:default", [ScheduleResumed(who="ann")])
    await world.advance(60, step_s=30)
    assert await nominals(world) == ["12:06"]
    assert await not_fired(world) == [("it was paused", 5)]


async def test_pausing_a_pipeline_or_everything_pauses_their_schedules() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", cron="* * * * *")
    await world.settle()
    await world.append("pipeline", "hello", [PipelinePaused(who="ann")])
    await world.advance(120, step_s=30)
    await world.append("settings", "main", [SettingsPaused(who="ann")])
    await world.append("pipeline", "hello", [PipelineResumed(who="ann")])
    await world.advance(120, step_s=30)
    await world.append("settings", "main", [SettingsResumed(who="ann")])
    await world.advance(60, step_s=30)
    assert await nominals(world) == ["12:05"]
    assert await not_fired(world) == [("it was paused", 4)]


async def test_a_sync_does_not_shift_an_interval_and_a_new_one_starts_anew() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", interval_s=600)
    await world.advance(500)
    await world.pipeline("hello", commit="d" * 40, interval_s=600, description="changed")
    await world.advance(200, step_s=50)
    assert await nominals(world) == ["12:10"]
    await world.pipeline("hello", commit="e" * 40, interval_s=60)
    await world.advance(60)
    assert await nominals(world) == ["12:10", "12:12"]


async def test_a_schedule_of_an_invalid_pipeline_goes_on_and_its_runs_say_why_they_do_not() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", cron="* * * * *")
    await world.settle()
    broken = PipelineInvalid(repository="main", commit="d" * 40, tree=TREE, errors=("$: no JSON",))
    await world.append("pipeline", "hello", [broken])
    await world.advance(60)
    [rejected] = [r.fact for r in await world.facts(RunRejected)]
    assert isinstance(rejected, RunRejected)
    assert rejected.reason == "invalid_definition"


async def test_schedules_over_the_api_fire_like_those_of_files_until_they_are_removed() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", schedules=[{"id": "weekly", "cron": "@weekly"}])
    fact = ScheduleSet(pipeline="hello", name="often", cron="* * * * *", run_config_id="weekly", params={"A": "1"})
    await world.append("schedule", "hello:often", [fact])
    await world.advance(60)
    [request] = await requests(world)
    assert (request.run_config_id, request.params, request.trigger.schedule) == ("weekly", {"A": "1"}, "hello:often")
    await world.append("schedule", "hello:often", [ScheduleRemoved(who="ann")])
    await world.advance(300, step_s=60)
    assert len(await requests(world)) == 1


async def test_run_once_at_an_instant_of_the_past_never_fires() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", run_once_at=(NOON - timedelta(days=1)).isoformat())
    await world.pipeline("later", run_once_at=(NOON + timedelta(minutes=5)).isoformat())
    await world.advance(3600, step_s=60)
    assert (await nominals(world), await nominals(world, "later")) == ([], ["12:05"])


async def test_a_repository_that_fails_or_is_silent_for_too_long_is_told_once() -> None:
    world = World()
    await world.scheduler(repository_overdue_after_s=600)
    await world.append("repository", "failing", [RepositoryConfigured(url="u", branch="main")])
    await world.append("repository", "silent", [RepositoryConfigured(url="u", branch="main")])
    await world.append("repository", "fine", [RepositoryConfigured(url="u", branch="main")])
    await world.append("repository", "failing", [RepositorySyncFailed(reason="gone")])
    for minute in range(20):
        await world.advance(60)
        asked = [r for r in await world.facts(RepositorySyncRequested) if r.id == "fine"]
        await world.append("repository", "fine", [RepositorySynced(commit=COMMIT, requests=len(asked))])
        assert minute < 4 or await world.facts(RepositorySyncRequested)
    facts = {r.id: r.fact.reason for r in await world.facts(RepositoryOverdue) if isinstance(r.fact, RepositoryOverdue)}
    assert facts == {
        "failing": "every sync has failed since 2026-03-01T12:00:00Z; what runs may be old",
        "silent": "nobody has answered a request for a sync since 2026-03-01T12:05:00Z; what runs may be old",
    }


async def test_a_clock_that_goes_back_changes_nothing() -> None:
    world = World()
    await world.scheduler()
    await world.pipeline("hello", cron="* * * * *")
    await world.advance(300, step_s=30)
    world.now -= timedelta(hours=1)
    await world.settle()
    await world.advance(3600, step_s=60)
    assert len(await requests(world)) == 5
    await world.advance(60)
    assert len(await requests(world)) == 6

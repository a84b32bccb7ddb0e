"""Whatever people, runners and clocks do: limits hold, nobody is stranded, the cancelled never start, all ends."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
from fastflow_events.aggregates.pipeline.events import PipelinePaused, PipelineResumed
from fastflow_events.aggregates.run.commands import HurryRun, LoseAttempt, PrioritiseRun
from fastflow_events.aggregates.run.events import RunCancelRequested, RunDispatched, RunRequested
from fastflow_events.aggregates.run.state import HELD
from fastflow_events.errors import DomainError
from fastflow_events.testing.builders import NOON
from fastflow_scheduler.core.agenda import Entry
from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.core.state.runs import IN_HAND
from fastflow_scheduler.testing.world import Scheduler, World
from hypothesis import given, settings
from hypothesis import strategies as st

MOST = 3
PIPELINES: dict[str, dict[str, Any]] = {
    "free": {"downstream": [{"pipeline": "one"}]},
    "one": {"max_instances": 1, "retry_attempts": 1, "retry_strategy": {"delay_s": 20}},
    "group-a": {"concurrency_group": "g", "concurrency_limit": 2, "retry_on_lost": True},
    "group-b": {"concurrency_group": "g", "concurrency_limit": 3, "restart_on_crash": True, "restart_cooldown_s": 15},
    "timed": {"interval_s": 30, "max_instances": 2, "on_limit": "skip"},
}
actions = st.one_of(
    st.tuples(st.just("request"), st.sampled_from(sorted(PIPELINES)), st.integers(-2, 2)),
    st.tuples(st.just("finish"), st.integers(0, 30), st.sampled_from(["succeeded", "failed", "timed_out"])),
    st.tuples(st.just("claim"), st.integers(0, 30)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("lose"), st.integers(0, 30)),
    st.tuples(st.just("move"), st.integers(0, 30), st.integers(-3, 3)),
    st.tuples(st.just("hurry"), st.integers(0, 30)),
    st.tuples(st.just("pause"), st.sampled_from(sorted(PIPELINES)), st.booleans()),
    st.tuples(st.just("time"), st.integers(1, 70)),
    st.tuples(st.just("lead"), st.integers(0, 1)),
    st.tuples(st.just("restart"), st.integers(0, 1)),
)


async def do(world: World, number: int, action: tuple[Any, ...]) -> None:
    """Somebody does something; what is refused has not happened."""
    everybody = await world.runs()
    chosen = everybody[action[1] % len(everybody)] if everybody and isinstance(action[1], int) else ""
    match action:
        case "request", pipeline, priority:
            await world.request(f"r{number}", pipeline, priority=priority)
        case "finish", _, outcome if chosen:
            await world.finish(chosen, outcome=outcome, exit_code=0 if outcome == "succeeded" else 1)
        case "claim", _ if chosen:
            await world.claim(chosen)
        case "cancel", _ if chosen:
            await world.cancel(chosen)
        case "lose", _ if chosen:
            await world.tell(chosen, LoseAttempt(attempt=(await world.run(chosen)).attempt))
        case "move", _, priority if chosen:
            await world.tell(chosen, PrioritiseRun(priority=priority, who="ann"))
        case "hurry", _ if chosen:
            await world.tell(chosen, HurryRun(who="ann"))
        case "pause", pipeline, paused:
            await world.append("pipeline", pipeline, [PipelinePaused(who="a") if paused else PipelineResumed(who="a")])
        case "time", seconds:
            await world.advance(seconds)
        case "lead", index:
            await world.schedulers[index].lead()
        case "restart", index:
            survivor = world.schedulers[1 - index]
            world.schedulers.clear()
            world.schedulers[:] = [survivor, await fresh(world)]
        case _:
            pass


async def fresh(world: World) -> Scheduler:
    made = await world.scheduler(max_concurrent_runs=MOST, leads=False)
    world.schedulers.remove(made)
    return made


async def check(world: World) -> None:
    in_hand: dict[str, list[str]] = {}
    for recorded in await world.facts(RunRequested):
        fact = recorded.fact
        if isinstance(fact, RunRequested) and (await world.run(recorded.id)).phase in IN_HAND:
            in_hand.setdefault(fact.pipeline, []).append(recorded.id)
    assert sum(map(len, in_hand.values())) <= MOST
    assert len(in_hand.get("one", ())) <= 1
    assert len(in_hand.get("timed", ())) <= 2
    assert len(in_hand.get("group-a", ())) + len(in_hand.get("group-b", ())) <= 2


async def drain(world: World) -> None:
    """Let somebody lead, resume everything, and let every run end."""
    await world.schedulers[0].lead()
    for name, found in PIPELINES.items():
        definition = {key: value for key, value in found.items() if key != "interval_s"}
        await world.append("pipeline", name, [PipelineResumed(who="a")])
        await world.pipeline(name, commit="d" * 40, **definition)
    while True:
        assert world.now - NOON < timedelta(hours=3)
        await world.advance(100)  # whatever waits for its time has come
        await check(world)
        if not (open_runs := await world.open()):
            return
        for run_id in open_runs:
            if (await world.run(run_id)).phase in HELD | {"dispatched"}:
                await world.finish(run_id)


async def tell(story: list[tuple[Any, ...]]) -> World:
    world = World()
    for _ in range(2):
        await world.scheduler(max_concurrent_runs=MOST)
    for name, definition in PIPELINES.items():
        await world.pipeline(name, **definition)
    for number, action in enumerate(story):
        try:
            await do(world, number, action)
        except DomainError:
            continue
        for scheduler in world.schedulers:
            await scheduler.act()
        await check(world)
    return world


@settings(max_examples=25)
@given(st.lists(actions, max_size=20))
def test_no_history_exceeds_a_limit_strands_a_run_or_starts_a_cancelled_one(story: list[tuple[Any, ...]]) -> None:
    async def main() -> None:
        world = await tell(story)
        await drain(world)
        assert await world.open() == []
        for recorded in await world.facts(RunCancelRequested):
            facts = (await world.log.load("run", recorded.id)).recorded
            assert not any(isinstance(r.fact, RunDispatched) for r in facts if r.seq > recorded.seq)

    asyncio.run(main())


@settings(max_examples=25)
@given(st.lists(actions, max_size=20))
def test_a_book_read_from_its_file_is_the_book(story: list[tuple[Any, ...]]) -> None:
    async def main() -> None:
        world = await tell([action for action in story if action[0] != "restart"])
        await world.settle()
        for scheduler in world.schedulers:
            await scheduler.act()
            kept, again = scheduler.state, SchedulerState(scheduler.state.limits)
            again.runs.capacity.set_runners(kept.runs.capacity.pools.runners)
            for table, copy in zip(kept.tables(), again.tables(), strict=True):
                copy.load({k: msgspec.json.decode(msgspec.json.encode(v), type=table.kind) for k, v in table.items()})
            for open_run in again.runs.table.values():
                again.pipelines.use(open_run.request, kept.pipelines.version(open_run.request))
            again.rebuild()
            assert again.runs.run_queue.waiting() == kept.runs.run_queue.waiting()
            assert again.runs.capacity.taken == kept.runs.capacity.taken
            assert again.runs.to_end == kept.runs.to_end
            for run_id in kept.runs.table:
                for kind in ("claim", "retry"):
                    assert again.agenda.due_of(Entry(kind, run_id)) == kept.agenda.due_of(Entry(kind, run_id))

    asyncio.run(main())

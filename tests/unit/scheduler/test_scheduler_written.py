"""What the scheduler writes down for one more fact does not grow with what came before it."""

from datetime import timedelta

import msgspec
from fastflow_events.aggregates.backfill.events import BackfillRequested
from fastflow_events.ids import run_id_of_backfill
from fastflow_events.testing.builders import NOON
from fastflow_scheduler.core.fanin import KEPT
from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.testing.world import World

RESULT = {"text": "x" * 10_000}


def written(state: SchedulerState) -> int:
    """Bytes of what has changed since it was asked last."""
    changed = [(table, key) for table in state.tables() for key in table.dirty]
    size = sum(len(msgspec.json.encode(table.get(key))) for table, key in changed)
    for table in state.tables():
        table.dirty.clear()
    return size


def again(state: SchedulerState) -> SchedulerState:
    """The state as it comes back from its file."""
    found = SchedulerState(state.limits)
    for table, other in zip(found.tables(), state.tables(), strict=True):
        bodies = {key: msgspec.json.encode(thing) for key, thing in other.items()}
        table.load({key: msgspec.json.decode(body, type=table.kind) for key, body in bodies.items()})
    found.seq = state.seq
    found.rebuild()
    return found


async def test_one_more_arrival_at_a_fan_in_costs_itself_however_many_wait() -> None:
    world = World()
    scheduler = await world.scheduler()
    for name in ("left", "right"):
        await world.pipeline(name)
    await world.pipeline("end", upstream={"all": ["left", "right"]})
    costs = []
    for n in range(KEPT + 20):
        await world.request(f"left-{n:03}", pipeline="left")
        await world.settle()
        written(scheduler.state)
        await world.finish(f"left-{n:03}", result=RESULT)
        await world.settle()
        costs.append(written(scheduler.state))
    assert costs[-1] < costs[0] + 1000
    waiting = scheduler.state.followups.fanins.get("end")
    assert [s.run_id for s in waiting.successes["left"]] == [f"left-{n:03}" for n in range(20, KEPT + 20)]
    assert again(scheduler.state).followups.fanins.get("end").successes["left"] == waiting.successes["left"]
    await world.request("right-0", pipeline="right")
    await world.settle()
    await world.finish("right-0")
    await world.settle()
    assert len(await world.runs("end")) == 1
    assert len(scheduler.state.followups.fanins.table) == len(again(scheduler.state).followups.fanins.table) == 0


async def test_one_more_run_of_a_backfill_costs_itself_however_long_it_is() -> None:
    world = World()
    scheduler = await world.scheduler()
    await world.pipeline("hello", cron="* * * * *")
    instants = tuple(NOON - timedelta(minutes=1000 - n) for n in range(1000))
    asked = BackfillRequested(pipeline="hello", schedule="hello/default", instants=instants, concurrency=2, who="ann")
    await world.append("backfill", "b1", [asked])
    await world.settle()
    assert written(scheduler.state) > 20_000
    for n in range(4):
        await world.finish(run_id_of_backfill("b1", instants[n]))
        await world.settle()
        assert written(scheduler.state) < 6000
    back = again(scheduler.state).backfills
    assert (back.progress.get("b1"), len(back.open)) == (scheduler.state.backfills.progress.get("b1"), 2)

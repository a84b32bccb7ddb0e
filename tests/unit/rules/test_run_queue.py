"""The queue and the places: any order of events keeps every limit, strands nobody and picks whom it should."""

from typing import Any

from fastflow_rules.queue.admission import Lane, Order
from fastflow_rules.queue.capacity import EVERYTHING, Capacity, Slot
from fastflow_rules.queue.pools import LiveRunner, Pools
from fastflow_rules.queue.waits import PipelinePaused, PlacesTaken
from fastflow_scheduler.core.run_queue import RunQueue
from hypothesis import given
from hypothesis import strategies as st

PIPELINES = ["a", "b", "c"]
GROUPS = [None, "g"]
POOLS = ["default", "gpu"]
MANY = {"r": LiveRunner(slots=1000, pools=("default", "gpu"))}


def places(**more: Any) -> Capacity:
    found = Capacity(**{"max_running": 100, **more})
    found.set_runners(MANY)
    return found


def limit(of: Capacity, name: str, **more: Any) -> None:
    fields = {"paused": False, "max_instances": None, "group": None, "group_limit": None, **more}
    of.set_pipeline(name, **fields)


def start(run_queue: RunQueue, of: Capacity, run_id: str) -> None:
    lane = run_queue.lane_of(run_id)
    assert lane is not None
    run_queue.remove(run_id)
    of.acquire(run_id, Slot(pipeline=lane.pipeline, group=lane.group, pool=lane.pool))


def drain(run_queue: RunQueue, of: Capacity) -> list[str]:
    """Start whatever can start."""
    started = []
    while (pick := run_queue.pick(of)) is not None:
        assert pick.blocked is None
        start(run_queue, of, pick.run_id)
        started.append(pick.run_id)
    return started


def test_the_oldest_goes_first_whatever_lane_it_is_in() -> None:
    run_queue, free = RunQueue(), places()
    for seq, pipeline in enumerate(["b", "a", "c", "a"]):
        run_queue.add(f"r{seq}", Lane(pipeline, None, "default"), Order(0.0, seq))
    assert drain(run_queue, free) == ["r0", "r1", "r2", "r3"]


def test_a_full_lane_is_passed_over_and_looked_at_again_when_a_place_is_free() -> None:
    run_queue, some = RunQueue(), places()
    limit(some, "a", max_instances=1)
    for seq, pipeline in enumerate(["a", "a", "b", "a"]):
        run_queue.add(f"r{seq}", Lane(pipeline, None, "default"), Order(0.0, seq))
    assert drain(run_queue, some) == ["r0", "r2"]
    some.release("r0")
    assert drain(run_queue, some) == ["r1"]


def test_the_best_of_those_that_wait_for_one_thing_gets_it() -> None:
    run_queue, few = RunQueue(), places()
    few.set_runners({"r": LiveRunner(slots=1, pools=("default",))})
    for seq, pipeline in enumerate(["x", "y", "z"]):
        run_queue.add(pipeline, Lane(pipeline, None, "default"), Order(0.0, seq))
    assert drain(run_queue, few) == ["x"]
    run_queue.add("late but urgent", Lane("u", None, "default"), Order(-600.0, 9))
    few.release("x")
    assert drain(run_queue, few) == ["late but urgent"]
    few.release("late but urgent")
    assert drain(run_queue, few) == ["y"]


def test_who_does_not_want_to_wait_is_picked_to_be_refused() -> None:
    run_queue, some = RunQueue(), places()
    limit(some, "a", max_instances=1)
    run_queue.set_on_limit("a", waits=False)
    run_queue.add("r0", Lane("a", None, "default"), Order(0.0, 0))
    run_queue.add("r1", Lane("a", None, "default"), Order(0.0, 1))
    assert run_queue.pick(some) == ("r0", None)
    start(run_queue, some, "r0")
    pick = run_queue.pick(some)
    assert pick is not None
    assert pick.blocked is not None
    assert (pick.run_id, str(pick.blocked.reason)) == ("r1", "1 of at most 1 runs of this pipeline are active")


def test_the_reason_names_what_is_short() -> None:
    some = places(max_running=2)
    limit(some, "a", paused=True)
    assert some.blocked(Lane("a", None, "default")) == (("pipeline", "a"), PipelinePaused(), False)
    nobody = some.blocked(Lane("b", None, "tpu"))
    assert nobody is not None
    assert str(nobody.reason) == "no runner of pool tpu is alive"
    some.acquire("r1", Slot(pipeline="b", group=None, pool="default"))
    some.acquire("r2", Slot(pipeline="b", group=None, pool="default"))
    full = some.blocked(Lane("b", None, "default"))
    assert full is not None
    assert full == (EVERYTHING, PlacesTaken(2), False)
    assert sorted(some.holders(EVERYTHING)) == ["r1", "r2"]


def test_an_unclaimed_dispatch_counts_against_every_pool_that_shares_a_runner() -> None:
    pools = Pools()
    pools.set_runners({"both": LiveRunner(slots=2, pools=("a", "b")), "own": LiveRunner(slots=1, pools=("a",))})
    pools.take("a", None)
    assert (pools.free("a"), pools.free("b"), pools.free("c")) == (2, 1, 0)
    pools.give("a", None)
    pools.take("a", "own")
    assert (pools.free("a"), pools.free("b")) == (2, 2)


events = st.one_of(
    st.tuples(
        st.just("ask"), st.sampled_from(PIPELINES), st.sampled_from(GROUPS), st.sampled_from(POOLS), st.integers(-5, 5)
    ),
    st.tuples(st.just("end"), st.integers(0, 50)),
    st.tuples(st.just("claim"), st.integers(0, 50)),
    st.tuples(st.just("forget"), st.integers(0, 50)),
    st.tuples(
        st.just("limit"), st.sampled_from(PIPELINES), st.sampled_from([None, 1, 2]), st.sampled_from([None, 1, 3])
    ),
    st.tuples(st.just("pause"), st.sampled_from([*PIPELINES, "*"]), st.booleans()),
    st.tuples(st.just("runners"), st.integers(0, 4), st.integers(0, 4)),
)


@given(st.lists(events, max_size=60), st.integers(1, 6))
def test_whatever_happens_limits_hold_and_nobody_waits_who_could_start(story: list[Any], most: int) -> None:
    run_queue, all_places = RunQueue(), places(max_running=most)
    waiting: dict[str, tuple[Lane, Order]] = {}
    running: dict[str, Lane] = {}
    limits: dict[str, int | None] = {}
    groups: dict[str, int | None] = {}
    for seq, event in enumerate(story):
        match event:
            case "ask", pipeline, group, pool, priority:
                entry = (Lane(pipeline, group, pool), Order(-60.0 * priority, seq))
                waiting[f"r{seq}"] = entry
                run_queue.add(f"r{seq}", *entry)
            case "end", index if running:
                gone = sorted(running)[index % len(running)]
                all_places.release(gone)
                del running[gone]
            case "claim", index if running:
                run_id = sorted(running)[index % len(running)]
                lane = running[run_id]
                all_places.acquire(run_id, Slot(pipeline=lane.pipeline, group=lane.group, pool=lane.pool, runner="r"))
            case "forget", index if waiting:
                gone = sorted(waiting)[index % len(waiting)]
                run_queue.remove(gone)
                del waiting[gone]
            case "limit", pipeline, instances, group_limit:
                limits[pipeline], groups[pipeline] = instances, group_limit
                limit(all_places, pipeline, max_instances=instances, group="g", group_limit=group_limit)
            case "pause", "*", paused:
                all_places.paused = paused
            case "pause", pipeline, paused:
                group_limit = groups.get(pipeline)
                group = "g" if pipeline in groups else None
                limit(
                    all_places,
                    pipeline,
                    paused=paused,
                    max_instances=limits.get(pipeline),
                    group=group,
                    group_limit=group_limit,
                )
            case "runners", default, gpu:
                alive = {"r": LiveRunner(slots=default, pools=("default",)), "s": LiveRunner(slots=gpu, pools=("gpu",))}
                all_places.set_runners({name: runner for name, runner in alive.items() if runner.slots})
            case _:
                pass
        while (pick := run_queue.pick(all_places)) is not None:
            mine = run_queue.lane_of(pick.run_id)
            assert mine is not None
            before = [order for other, order in waiting.values() if all_places.blocked(other) is None]
            assert waiting[pick.run_id][1] == min(before)
            start(run_queue, all_places, pick.run_id)
            running[pick.run_id] = mine
            del waiting[pick.run_id]
            assert len(running) <= most
            its_own = limits.get(mine.pipeline)
            assert its_own is None or sum(other.pipeline == mine.pipeline for other in running.values()) <= its_own
            of_group = [value for value in groups.values() if value is not None]
            if mine.group and of_group:
                assert sum(other.group == "g" for other in running.values()) <= min(of_group)
        assert all(all_places.blocked(lane) is not None for lane, _ in waiting.values())
        assert len(run_queue) == len(waiting)

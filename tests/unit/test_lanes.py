"""The queue and the places: any order of events keeps every limit, strands nobody and picks whom it should."""

from typing import Any

from fastflow_rules.queue.admission import Lane, Order
from fastflow_rules.queue.capacity import EVERYTHING, Places, Seat
from fastflow_rules.queue.pools import LiveRunner, Pools
from fastflow_scheduler.core.run_queue import Lanes
from hypothesis import given
from hypothesis import strategies as st

PIPELINES = ["a", "b", "c"]
GROUPS = [None, "g"]
POOLS = ["default", "gpu"]
MANY = {"r": LiveRunner(slots=1000, pools=("default", "gpu"))}


def places(**more: Any) -> Places:
    found = Places(**{"max_running": 100, **more})
    found.set_runners(MANY)
    return found


def limit(of: Places, name: str, **more: Any) -> None:
    said = {"paused": False, "max_instances": None, "group": None, "group_limit": None, **more}
    of.set_pipeline(name, **said)


def start(lanes: Lanes, of: Places, run_id: str) -> None:
    lane = lanes.lane_of(run_id)
    assert lane is not None
    lanes.remove(run_id)
    of.sit(run_id, Seat(pipeline=lane.pipeline, group=lane.group, pool=lane.pool))


def drain(lanes: Lanes, of: Places) -> list[str]:
    """Start whatever can start."""
    started = []
    while (pick := lanes.pick(of)) is not None:
        assert pick.blocked is None
        start(lanes, of, pick.run_id)
        started.append(pick.run_id)
    return started


def test_the_oldest_goes_first_whatever_lane_it_is_in() -> None:
    lanes, free = Lanes(), places()
    for seq, pipeline in enumerate(["b", "a", "c", "a"]):
        lanes.add(f"r{seq}", Lane(pipeline, None, "default"), Order(0.0, seq))
    assert drain(lanes, free) == ["r0", "r1", "r2", "r3"]


def test_a_full_lane_is_passed_over_and_looked_at_again_when_a_place_is_free() -> None:
    lanes, some = Lanes(), places()
    limit(some, "a", max_instances=1)
    for seq, pipeline in enumerate(["a", "a", "b", "a"]):
        lanes.add(f"r{seq}", Lane(pipeline, None, "default"), Order(0.0, seq))
    assert drain(lanes, some) == ["r0", "r2"]
    some.leave("r0")
    assert drain(lanes, some) == ["r1"]


def test_the_best_of_those_that_wait_for_one_thing_gets_it() -> None:
    lanes, few = Lanes(), places()
    few.set_runners({"r": LiveRunner(slots=1, pools=("default",))})
    for seq, pipeline in enumerate(["x", "y", "z"]):
        lanes.add(pipeline, Lane(pipeline, None, "default"), Order(0.0, seq))
    assert drain(lanes, few) == ["x"]
    lanes.add("late but urgent", Lane("u", None, "default"), Order(-600.0, 9))
    few.leave("x")
    assert drain(lanes, few) == ["late but urgent"]
    few.leave("late but urgent")
    assert drain(lanes, few) == ["y"]


def test_who_does_not_want_to_wait_is_picked_to_be_refused() -> None:
    lanes, some = Lanes(), places()
    limit(some, "a", max_instances=1)
    lanes.set_patience("a", waits=False)
    lanes.add("r0", Lane("a", None, "default"), Order(0.0, 0))
    lanes.add("r1", Lane("a", None, "default"), Order(0.0, 1))
    assert lanes.pick(some) == ("r0", None)
    start(lanes, some, "r0")
    pick = lanes.pick(some)
    assert pick is not None
    assert pick.blocked is not None
    assert (pick.run_id, pick.blocked.reason) == ("r1", "1 of at most 1 runs of this pipeline are active")


def test_the_reason_names_what_is_short() -> None:
    some = places(max_running=2)
    limit(some, "a", paused=True)
    assert str(some.blocked(Lane("a", None, "default"))).count("the pipeline is paused") == 1
    nobody = some.blocked(Lane("b", None, "tpu"))
    assert nobody is not None
    assert nobody.reason == "no runner of pool tpu is alive"
    some.sit("r1", Seat(pipeline="b", group=None, pool="default"))
    some.sit("r2", Seat(pipeline="b", group=None, pool="default"))
    full = some.blocked(Lane("b", None, "default"))
    assert full is not None
    assert full == (EVERYTHING, "all 2 places are taken", False)
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
    lanes, all_places = Lanes(), places(max_running=most)
    waiting: dict[str, tuple[Lane, Order]] = {}
    running: dict[str, Lane] = {}
    limits: dict[str, int | None] = {}
    groups: dict[str, int | None] = {}
    for seq, event in enumerate(story):
        match event:
            case "ask", pipeline, group, pool, priority:
                entry = (Lane(pipeline, group, pool), Order(-60.0 * priority, seq))
                waiting[f"r{seq}"] = entry
                lanes.add(f"r{seq}", *entry)
            case "end", index if running:
                gone = sorted(running)[index % len(running)]
                all_places.leave(gone)
                del running[gone]
            case "claim", index if running:
                run_id = sorted(running)[index % len(running)]
                lane = running[run_id]
                all_places.sit(run_id, Seat(pipeline=lane.pipeline, group=lane.group, pool=lane.pool, runner="r"))
            case "forget", index if waiting:
                gone = sorted(waiting)[index % len(waiting)]
                lanes.remove(gone)
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
        while (pick := lanes.pick(all_places)) is not None:
            mine = lanes.lane_of(pick.run_id)
            assert mine is not None
            before = [order for other, order in waiting.values() if all_places.blocked(other) is None]
            assert waiting[pick.run_id][1] == min(before)
            start(lanes, all_places, pick.run_id)
            running[pick.run_id] = mine
            del waiting[pick.run_id]
            assert len(running) <= most
            its_own = limits.get(mine.pipeline)
            assert its_own is None or sum(other.pipeline == mine.pipeline for other in running.values()) <= its_own
            of_group = [value for value in groups.values() if value is not None]
            if mine.group and of_group:
                assert sum(other.group == "g" for other in running.values()) <= min(of_group)
        assert all(all_places.blocked(lane) is not None for lane, _ in waiting.values())
        assert len(lanes) == len(waiting)

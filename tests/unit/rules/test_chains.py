"""What follows the end of a run, and what it is handed."""

from itertools import pairwise

import msgspec
from fastflow_events.types import Outcome
from fastflow_rules.chains import (
    Edge,
    Ended,
    cycles,
    edges_of_file,
    followers,
    handed_over,
    handed_over_by_all,
    matches,
    of_one_flow,
)
from fastflow_rules.definition import Definition, Downstream, parse
from fastflow_scheduler.core.fanin import Success, Waiting, arrived
from hypothesis import given
from hypothesis import strategies as st

ENDED = Ended(run_id="r1", params={"DAY": "2026-05-01"}, result={"rows": 7, "files": ["a", "b"], "a.b": {"c": True}})


def edge(downstream: str = "b", **more: object) -> Edge:
    return Edge(**{"upstream": "a", "downstream": downstream, **more})  # type: ignore[arg-type]


def follow(edge: Edge) -> list[tuple[Outcome, str | None]]:
    cases: list[tuple[Outcome, str | None]] = [
        ("succeeded", None),
        ("succeeded", "full"),
        ("succeeded", " full\n"),
        ("succeeded", "other"),
        ("failed", "full"),
        ("timed_out", None),
        ("cancelled", None),
    ]
    return [case for case in cases if matches(edge, *case)]


def test_success_and_failure_are_followed_as_wanted_and_a_cancel_never() -> None:
    assert [outcome for outcome, _ in follow(edge())] == ["succeeded"] * 4
    assert follow(edge(on_success=False, on_failure=True)) == [("failed", "full"), ("timed_out", None)]
    assert follow(edge(on_success=False)) == []


def test_a_route_is_followed_exactly_and_never_falls_back() -> None:
    assert follow(edge(on_route="full", on_failure=True)) == [("succeeded", "full"), ("succeeded", " full\n")]


def test_the_same_pipeline_with_the_same_configuration_follows_once_whoever_said_it() -> None:
    found = edges_of_file("a", Definition(downstream=(Downstream(pipeline="c"), Downstream(pipeline="b"))))
    chosen = followers([*found, edge("b", source="api"), edge("b", run_config_id="weekly")], "succeeded", None)
    assert [(e.downstream, e.run_config_id, e.source) for e in chosen] == [
        ("b", None, "file"),
        ("b", "weekly", "file"),
        ("c", None, "file"),
    ]


def test_params_are_handed_over_by_a_plain_mapping() -> None:
    mapping = {
        "PLAIN": "text",
        "DOLLAR": "$$params.DAY",
        "DAY": "$params.DAY",
        "ROWS": "$result.rows",
        "FILE": "$result.files.1",
        "FILES": "$result.files",
        "DOTTED": "$result.a.b.c",
        "NOTHING": "$result.nothing",
        "DEEPER": "$result.rows.x",
        "OUTSIDE": "$result.files.9",
    }
    assert handed_over(mapping, ENDED) == {
        "PLAIN": "text",
        "DOLLAR": "$params.DAY",
        "DAY": "2026-05-01",
        "ROWS": "7",
        "FILE": "b",
        "FILES": '["a","b"]',
        "DOTTED": "true",
    }


def test_a_fan_in_names_the_pipeline_it_takes_from() -> None:
    both = {"a.x": ENDED, "b": Ended(run_id="r2", params={"DAY": "2026-05-02"})}
    mapping = {"A": "$params.a.x.DAY", "B": "$params.b.DAY", "ROWS": "$result.a.x.rows", "NONE": "$result.b.rows"}
    assert handed_over_by_all(mapping, both) == {"A": "2026-05-01", "B": "2026-05-02", "ROWS": "7"}


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.recursive(st.integers(), st.lists)))
def test_no_mapping_and_no_result_can_break_a_chain(mapping: dict[str, str], result: dict[str, object]) -> None:
    found = handed_over(mapping, Ended(run_id="r1", result=result))
    assert all(isinstance(value, str) for value in found.values())


def test_circles_are_found_once() -> None:
    def path(*names: str) -> list[Edge]:
        return [Edge(upstream=a, downstream=b) for a, b in pairwise(names)]

    assert cycles(path("a", "b", "c")) == []
    assert cycles([*path("a", "b", "a"), *path("c", "c"), *path("b", "d")]) == [["a", "b", "a"], ["c", "c"]]


def test_pipelines_belong_to_one_flow_when_they_descend_from_a_common_one() -> None:
    diamond = {"left": ["root"], "right": ["root"], "end": ["left", "right"]}
    assert of_one_flow(["left", "right"], diamond)
    assert of_one_flow(["root", "right"], diamond)
    assert not of_one_flow(["left", "other"], diamond)
    assert not of_one_flow(["left"], diamond)


def join(*arrivals: tuple[str, str, str], one_flow: bool) -> list[set[str]]:
    """Runs that are followed together; an arrival is (pipeline, run, flow)."""
    waiting, joined = Waiting(), []
    for pipeline, run_id, flow in arrivals:
        success = Success(run_id=run_id, flow=flow)
        waiting, chosen = arrived(waiting, ["a", "b"], pipeline, success, one_flow=one_flow)
        if chosen is not None:
            joined.append({partner.run_id for partner in chosen.values()})
    return joined


def test_runs_of_one_flow_find_each_other_in_whatever_order_they_end() -> None:
    story = [("a", "a1", "1"), ("b", "b2", "2"), ("a", "a2", "2"), ("b", "b1", "1")]
    assert join(*story, one_flow=True) == [{"a2", "b2"}, {"a1", "b1"}]


def test_a_flow_whose_other_half_failed_waits_for_nobody_elses() -> None:
    assert join(("a", "a1", "1"), ("b", "b2", "2"), one_flow=True) == []


def test_strangers_are_matched_newest_to_newest_and_used_once() -> None:
    story = [("a", "a1", "1"), ("a", "a2", "2"), ("b", "b1", "3"), ("b", "b2", "4"), ("a", "a3", "5")]
    assert join(*story, one_flow=False) == [{"a2", "b1"}, {"a3", "b2"}]


def test_a_path_of_any_length_into_a_result_of_any_depth_leads_somewhere_or_nowhere() -> None:
    deep: dict[str, object] = {}
    for _ in range(5_000):
        deep = {"a": deep}
    ended = Ended(run_id="r", result=deep)
    assert handed_over({"A": "$result" + ".a" * 5_000}, ended) == {}
    assert handed_over({"A": "$result" + ".a" * 975}, ended) == {}
    shallow = Ended(run_id="r", result={"a": {"a": "here"}})
    assert handed_over({"A": "$result.a.a"}, shallow) == {"A": "here"}


def test_a_line_of_thousands_of_pipelines_has_no_circle_and_a_ring_of_them_has_one() -> None:
    line = [Edge(upstream=f"p{n:05}", downstream=f"p{n + 1:05}") for n in range(5_000)]
    assert cycles(line) == []
    [ring] = cycles([*line, Edge(upstream="p05000", downstream="p00000")])
    assert (len(ring), ring[0], ring[-1]) == (5_002, "p00000", "p00000")


def test_a_param_that_names_a_member_no_result_can_hold_is_refused() -> None:
    long = "$result" + ".a" * 65
    raw = msgspec.json.encode({"downstream_triggers": [{"pipeline": "next", "params": {"A": long, "B": "$result.a"}}]})
    problems = parse(raw, folder="hello")
    assert isinstance(problems, list)
    assert [str(problem.found) for problem in problems] == ["a path of 65 steps"]

"""How the one live stream looks: batches of lines, changes put together, and one id for all of it."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.lines import Entry, Gap, Line, LogPosition
from fastflow_gateway.core.live.frames import Frame
from fastflow_gateway.core.live.of_live import LINES, Segment, show_cells, show_changes, show_lines
from fastflow_gateway.core.live.of_runs import frames_of_lines, frames_of_parts
from fastflow_gateway.core.live.position import LivePosition, live_position_of
from fastflow_gateway.core.unfinished_lines import Part
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2030, 1, 1, tzinfo=UTC)
NUMBERS = st.integers(0, 10**9 - 1)
LINE_PLACES = st.one_of(st.tuples(NUMBERS, NUMBERS, st.just(0)), st.tuples(NUMBERS, NUMBERS, st.integers(1, 9)))


def line(n: int, text: str = "x") -> Entry:
    return LogPosition(1, n), Line(n, "stdout", AT, text)


def read(segment: Segment) -> tuple[str, Any]:
    name, data = segment.body.decode().removesuffix("\n\n").split("\ndata: ")
    return name.removeprefix("event: "), json.loads(data)


@given(
    st.builds(
        LivePosition,
        changes=st.none() | st.tuples(NUMBERS),
        lines=st.none() | LINE_PLACES,
        samples=st.none() | st.tuples(NUMBERS),
        cells=st.none() | st.tuples(NUMBERS),
    )
)
def test_an_id_says_how_far_its_reader_is_with_everything(position: LivePosition) -> None:
    if position != LivePosition():
        assert live_position_of(str(position)) == position


@given(st.text() | st.text("clsn0123456789.,", max_size=30))
def test_what_is_no_id_of_ours_is_refused_and_nothing_else_happens(text: str) -> None:
    with suppress(InvalidParameterError):
        assert live_position_of(text) != LivePosition()


@pytest.mark.parametrize("text", ["", ",", "c", "c1,", "l1", "l1.2.3.4", "c1 ", "c1\n", "x1", "C1", "c-1", "c١"])
def test_an_id_is_read_strictly(text: str) -> None:
    with pytest.raises(InvalidParameterError):
        live_position_of(text)


def test_neighbouring_lines_are_one_event_in_the_form_of_pages() -> None:
    frames = [
        *frames_of_lines([line(1), line(2, "ü\n"), (LogPosition(1, 2, 1), Gap(2, 3, 4)), line(3)]),
        *frames_of_parts([Part(4, "stdout", AT, "10 %", 0)]),
        Frame(None, "end", b"{}"),
    ]
    shown = show_lines(frames)
    assert [(segment.place, read(segment)[0]) for segment in shown] == [
        ((1, 2, 0), "lines"),
        ((1, 2, 1), "gap"),
        ((1, 3, 0), "lines"),
        (None, "partial"),
    ]
    assert [one["id"] for one in read(shown[0])[1]] == ["1.1", "1.2"]
    assert read(shown[0])[1][1] == {
        "id": "1.2",
        "attempt": 1,
        "n": 2,
        "stream": "stdout",
        "at": "2030-01-01T00:00:00Z",
        "text": "ü\n",
    }
    assert read(shown[1])[1] == {"id": "1.2.1", "attempt": 1, "n": 2, "missing_frames": 3, "missing_bytes": 4}


@given(st.lists(st.integers(0, 200_000), max_size=1200))
def test_no_event_is_too_long_and_none_is_lost(sizes: list[int]) -> None:
    if len(sizes) > 20:
        sizes = [size % 100 for size in sizes]
    frames = frames_of_lines(line(n, "x" * size) for n, size in enumerate(sizes, 1))
    batches = [read(segment)[1] for segment in show_lines(frames)]
    assert [one["n"] for batch in batches for one in batch] == list(range(1, len(sizes) + 1))
    assert all(len(batch) <= LINES for batch in batches)


def run(seq: int, number: int, id: str, pipeline: str) -> Frame:
    return Frame((seq - 1, number), "run", json.dumps({"id": id}).encode(), (pipeline,))


def test_what_facts_that_came_together_have_changed_is_one_event() -> None:
    frames = [
        run(5, 1, "r1", "a"),
        run(5, 2, "r2", "b"),
        Frame((4, 3), "pipeline", b'"a"', ("a",)),
        Frame((4, 4), "schedule", b'"s1"', ("s1",)),
        Frame((7,), "seen", b""),
        run(9, 1, "r3", "b"),
        Frame((9,), "seen", b""),
        Frame((10,), "seen", b""),
    ]
    assert [(segment.place, read(segment)) for segment in show_changes(frames)] == [
        (
            (7,),
            (
                "changed",
                {"seq": 7, "runs": [{"id": "r1"}, {"id": "r2"}], "pipelines": ["a"], "others": {"schedule": ["s1"]}},
            ),
        ),
        ((9,), ("changed", {"seq": 9, "runs": [{"id": "r3"}], "pipelines": [], "others": {}})),
    ]
    [only] = [read(segment)[1]["runs"] for segment in show_changes(frames[:5], frozenset({"a"}))]
    assert only == [{"id": "r1"}]


def test_whoever_was_told_a_part_of_a_group_goes_on_before_all_of_it() -> None:
    [part] = show_changes([run(5, 1, "r1", "a"), run(5, 2, "r2", "b")])
    assert part.place == (4, 2)
    assert str(LivePosition(changes=part.place)) == "c4"


def test_the_end_of_a_run_is_told_once_and_a_place_that_is_none_with_its_stream() -> None:
    shown = show_cells([Frame(None, "reset", b"{}"), Frame((1,), "cell", b"{}"), Frame(None, "end", b"{}")])
    assert [read(segment) for segment in shown] == [("reset", {"of": "cells"}), ("cell", {})]

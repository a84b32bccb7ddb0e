"""What stands out in output: found in whole blocks, counted exactly, and never more marks than a page can hold."""

import pytest
from fastflow_events.testing.builders import NOON
from fastflow_gateway.core.log_blocks import Block
from fastflow_gateway.core.log_levels import errors_in, is_traceback, level_of
from fastflow_gateway.core.log_marks import AttemptFold
from hypothesis import given
from hypothesis import strategies as st

LINES = [
    "all is well",
    "ERROR: no",
    "2026-11-01 12:00:00,123 - root - ERROR - no answer",
    "INFO no ERROR at all",
    "Traceback (most recent call last):",
    "KeyError: 'sku'",
    "requests.exceptions.HTTPError: 404",
    "KeyboardInterrupt",
    'time=1 level=error msg="no"',
    "[error] no",
    "main.py:3: UserWarning: old",
    "an error occurred",
    "x" * 300 + " ERROR",
    "",
    "ü ERROR",
]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (LINES[0], None),
        (LINES[1], "error"),
        (LINES[2], "error"),
        (LINES[3], "info"),
        (LINES[4], "error"),
        (LINES[5], "error"),
        (LINES[6], "error"),
        (LINES[7], "error"),
        (LINES[8], "error"),
        (LINES[9], "error"),
        (LINES[10], "warning"),
        (LINES[11], None),
        (LINES[12], None),
        ('{"level": "debug"}', "debug"),
        ("WARNING:root:slow", "warning"),
        ("TERRORS", None),
    ],
)
def test_a_line_is_as_serious_as_it_says_first(line: str, level: str | None) -> None:
    assert level_of(line) == level


lines = st.lists(
    st.one_of(st.sampled_from(LINES), st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=12))
)
streams = st.sampled_from(["stdout", "stderr"])


def block_of(told: list[tuple[str, str]], first: int = 1) -> Block:
    data, starts, pieces = b"", [], []
    for stream, line in told:
        starts.append(len(data))
        pieces.append((stream, NOON))
        data += line.encode() + b"\n"
    return Block(1, first, data, starts, pieces)  # type: ignore[arg-type]


@given(lines)
def test_the_errors_of_a_block_are_those_of_its_lines(told: list[str]) -> None:
    block = block_of([("stdout", line) for line in told])
    found = [block.data.count(b"\n", 0, offset) for offset, _ in errors_in(block.data)]
    assert found == [n for n, line in enumerate(told) if level_of(line) == "error"]


@given(st.lists(st.lists(st.tuples(streams, st.sampled_from(LINES)), max_size=20), max_size=6), st.integers(2, 5))
def test_marks_are_few_and_hold_every_line_that_stands_out(parts: list[list[tuple[str, str]]], most: int) -> None:
    fold, told = AttemptFold(1, most_marks=most), [line for part in parts for line in part]
    first = 1
    for part in parts:
        fold.feed(block_of(part, first))
        first += len(part)
    shown = fold.shown()
    errors = {n for n, (_, line) in enumerate(told, 1) if level_of(line) == "error"}
    stderr = {n for n, (stream, _) in enumerate(told, 1) if stream == "stderr"}
    tracebacks = {n for n, (_, line) in enumerate(told, 1) if is_traceback(line)}
    assert (shown.lines, shown.errors, shown.stderr_lines) == (len(told), len(errors), len(stderr))
    for kind, wanted in (("error", errors), ("stderr", stderr), ("traceback", tracebacks)):
        marks = [mark for mark in shown.marks if mark.kind == kind]
        assert len(marks) <= most
        assert sum(mark.count for mark in marks) == len(wanted)
        covered = {n for mark in marks for n in range(mark.from_line, mark.to_line + 1)}
        assert wanted <= covered
        assert {mark.from_line for mark in marks} <= wanted
        assert [*marks] == sorted(marks, key=lambda mark: mark.from_line)


def test_cells_are_where_their_notebook_says() -> None:
    said = [
        "fast-flow: cell 1 of 2",
        "hello",
        "fast-flow: cell 1 of 2: done in 0.1 s",
        "fast-flow: cell 2 of 2, try 1 of 2",
        "fast-flow: cell 2 of 2, try 1 of 2: failed after 0.1 s: ValueError: no; again in 1 s",
        "fast-flow: cell 2 of 2, try 2 of 2",
        "fast-flow: cell 2 of 2, try 2 of 2: failed after 0.2 s: ValueError: no: never",
    ]
    fold = AttemptFold(1)
    fold.feed(block_of([("stdout", line) for line in said]))
    cells = [(cell.cell, cell.from_line, cell.to_line, cell.failure) for cell in fold.cells.values()]
    assert cells == [(1, 1, 3, ""), (2, 4, 7, "ValueError: no: never")]

"""Tables that fit the terminal, and lose nothing."""

import io

import pytest
from fastflow_cli.streams import shown
from fastflow_cli.tables import fitting
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

COLUMNS = ("run", "pipeline", "status", "asked", "took", "reason")
ID = "01980000-0000-7000-8000-000000000001"
CELLS = st.text("abcü☃ [/]", max_size=50)


def drawn(columns: tuple[str, ...], rows: list[tuple[str, ...]], width: int) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(fitting(columns, rows, width))
    return file.getvalue().splitlines()


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(30, 120))
def test_every_character_is_there_and_no_line_is_too_long(rows: list[tuple[str, ...]], width: int) -> None:
    lines = drawn(("1", "2", "3"), rows, width)
    assert max(map(len, lines)) <= width
    for character in "abcü☃[/]":
        assert "".join(lines).count(character) == sum(cell.count(character) for row in rows for cell in row)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_what_one_types_next_stays_in_one_piece(width: int) -> None:
    row = (ID, "hello", "succeeded", "2026-11-28 21:55:54Z", "0.42 s", "")
    assert any(ID in line for line in drawn(COLUMNS, [row], width))


def test_a_list_of_runs_is_a_table_on_a_usual_terminal() -> None:
    row = (ID, "hello", "succeeded", "2026-11-28 21:55:54Z", "0.42 s", "")
    heading, *lines = drawn(COLUMNS, [row] * 3, 80)
    assert heading.split() == list(COLUMNS)
    assert len(lines) == 6


def test_where_words_would_break_cells_stand_one_below_the_other() -> None:
    row = (ID, "hello", "failed (out_of_memory)", "2026-11-28 21:55:54Z", "0.42 s", "it needed more memory")
    lines = drawn(COLUMNS, [row, row], 60)
    assert [line.rstrip().split(None, 1) for line in lines if line.strip()] == [
        [heading, cell] for heading, cell in [*zip(COLUMNS, row, strict=True)] * 2
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "seen"),
    [
        ("Grüße", "utf-8", "Grüße"),
        ("Grüße ☃", "ascii", r"Gr\xfc\xdfe \u2603"),
        ("Grüße ☃", "latin-1", r"Grüße \u2603"),
        ("\x1b[31mred\x07\r", "utf-8", r"\x1b[31mred\x07\x0d"),
        ("two\nlines\tand a tab", "ascii", "two\nlines\tand a tab"),
        ("no text: \udcff", "utf-8", r"no text: \udcff"),
        ("\x9b31mred \u202egnp.exe\u2028", "utf-8", r"\x9b31mred \u202egnp.exe\u2028"),
    ],
)
def test_what_cannot_be_shown_is_escaped(text: str, encoding: str, seen: str) -> None:
    assert shown(text, encoding) == seen

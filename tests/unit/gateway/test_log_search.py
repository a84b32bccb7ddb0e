"""Finding lines in blocks: the same lines as looking at each of them, whatever is in them and however they are cut."""

import re

import pytest
from fastflow_events.testing.builders import NOON
from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.log_blocks import Block
from fastflow_gateway.core.log_search import SLICE_BYTES, Expression, Finder, Range
from hypothesis import given
from hypothesis import strategies as st

texts = st.text(st.sampled_from("abAB \t.üß\r\x00€"), max_size=8)
patterns = st.sampled_from(
    [
        "a",
        "^a",
        "b$",
        "^$",
        "a.b",
        "[^a]b",
        r"\s",
        "a*",
        "(a|b)+B",
        "ü",
        "^.{3}$",
        "a|^b",
        "x",
        r"\Aa",
        r"b\z",
        "(?s)a.",
        ".",
    ]
)


def block(lines: list[str], first: int = 1, stream: str = "stdout") -> Block:
    data = "".join(f"{line}\n" for line in lines).encode()
    return Block(1, first, data, [0], [(stream, NOON)])  # type: ignore[list-item]


@given(st.lists(texts, max_size=12), patterns, st.booleans(), st.integers(0, 3))
def test_whole_blocks_bring_the_lines_that_match_one_by_one(
    lines: list[str], pattern: str, case: bool, context: int
) -> None:
    ours = re.compile(pattern.replace(r"\z", r"\Z"), 0 if case else re.IGNORECASE)
    finder = Finder(Expression(pattern, regex=True, case=case), context=context, stream=None)
    half = len(lines) // 2
    for part in (block(lines[:half]), block(lines[half:], half + 1)):
        finder.feed(part, 1000)
    wanted = [n for n, line in enumerate(lines, 1) if ours.search(line)]
    assert [match.n for match in finder.found] == wanted
    for match in finder.found:
        spans = [found.span() for found in ours.finditer(lines[match.n - 1]) if found.end() > found.start()]
        assert match.ranges == [Range(*span) for span in spans]
        assert [near.n for near in match.before] == [*range(max(match.n - context, 1), match.n)]
        assert [near.n for near in match.after] == [*range(match.n + 1, min(match.n + context, len(lines)) + 1)]
        assert [near.line_text for near in match.after] == lines[match.n : match.n + context]


@given(st.text(max_size=5).filter(lambda q: q and "\n" not in q), st.lists(texts, max_size=5))
def test_plain_text_is_never_an_expression(q: str, lines: list[str]) -> None:
    finder = Finder(Expression(q, regex=False, case=True), context=0, stream=None)
    finder.feed(block([*lines, f"x{q}y"]), 1000)
    assert [match.n for match in finder.found] == [n for n, line in enumerate([*lines, f"x{q}y"], 1) if q in line]


def test_a_match_in_the_middle_of_megabytes_is_shown_with_what_is_around_it() -> None:
    line = "ä" * 500_000 + "needle" + "ö" * 500_000
    finder = Finder(Expression("needle|never$", regex=True, case=True), context=1, stream=None)
    finder.feed(block(["before", line, "after"]), 10)
    [match] = finder.found
    [(begin, end)] = [(each.begin, each.end) for each in match.ranges]
    assert match.line_text[begin:end] == "needle"
    assert match.before_bytes + len(match.line_text.encode()) + match.missing_bytes == len(line.encode())
    assert [near.line_text for near in (*match.before, *match.after)] == ["before", "after"]


@pytest.mark.parametrize("size", [SLICE_BYTES - 1, SLICE_BYTES, SLICE_BYTES + 1, 3 * SLICE_BYTES])
def test_the_end_of_a_line_is_where_its_newline_is(size: int) -> None:
    finder = Finder(Expression("a$|^b", regex=True, case=True), context=0, stream=None)
    finder.feed(block(["a" * size + "c", "c" + "b" * size, "ba", "a" * size]), 10)
    assert [match.n for match in finder.found] == [3, 4]


@pytest.mark.parametrize(
    ("q", "place"), [("a(b", 1), ("a[b", 2), (r"a\1", 2), ("a(?=b)", 2), ("*", 1), ("a{2000}", 2), ("(?P<x", 1)]
)
def test_what_is_no_expression_is_told_with_its_place(q: str, place: int) -> None:
    with pytest.raises(InvalidParameterError, match="no regular expression") as told:
        Expression(q, regex=True, case=True)
    assert told.value.context == {"parameter": "q", "place": place}


@pytest.mark.parametrize("q", ["(a?){900}b", "(?:.?){999}z", "(?:(?:a{1,30}){30})b"])
def test_an_expression_that_would_take_long_is_refused(q: str) -> None:
    with pytest.raises(InvalidParameterError, match="too large"):
        Expression(q, regex=True, case=True)


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_is_refused(q: str) -> None:
    try:
        expression = Expression(q, regex=True, case=False)
    except InvalidParameterError:
        return
    finder = Finder(expression, context=1, stream=None)
    finder.feed(block(["one", "", "zwölf"]), 5)
    assert all(1 <= match.n <= 3 for match in finder.found)


def test_only_the_stream_that_is_wanted_is_searched() -> None:
    mixed = Block(1, 7, b"one\none\n", [0, 4], [("stdout", NOON), ("stderr", NOON)])
    finder = Finder(Expression("ONE", regex=False, case=False), context=1, stream="stderr")
    finder.feed(mixed, 10)
    assert [(match.n, match.stream, [near.n for near in match.before]) for match in finder.found] == [
        (8, "stderr", [7])
    ]

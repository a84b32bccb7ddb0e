"""Reading streams of events, and problems."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastflow_cli.client import error_of, lines_of, segment
from fastflow_cli.errors import NotRunningError, RefusedError, UsageError
from fastflow_cli.following import Line
from fastflow_cli.sse import Event, events


def test_events_are_cut_at_empty_lines() -> None:
    lines = [
        "retry: 1000",
        "",
        "id: 1.1",
        "event: line",
        'data: {"n":1}',
        "",
        ": keep-alive",
        "",
        "data: a",
        "data:b",
        "",
    ]
    assert list(events(lines)) == [Event("1.1", "line", '{"n":1}'), Event("1.1", "message", "a\nb")]


def test_an_event_that_was_cut_off_is_none() -> None:
    assert list(events(["id: 1.2", "event: line", "data: half"])) == []


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


async def test_only_a_newline_ends_a_line_however_the_bytes_were_cut() -> None:
    text = "data: a\x0b\x0c\u2028\u0085b\r\n\ndata: é\n".encode()
    whole = [line async for line in lines_of(pieces(text))]
    assert whole == ["data: a\x0b\x0c\u2028\u0085b", "", "data: é"]
    assert [line async for line in lines_of(pieces(*(text[i : i + 1] for i in range(len(text)))))] == whole


def test_a_line_gives_back_its_exact_bytes() -> None:
    assert Line(n=1, stream="stdout", text="é").raw() == "é\n".encode()
    assert Line(n=1, stream="stdout", text="\ufffd", b64="/w==", unterminated=True).raw() == b"\xff"


def answer(status: int, **problem: object) -> httpx.Response:
    return httpx.Response(status, json=problem, request=httpx.Request("GET", "http://x/y"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, RefusedError), (409, RefusedError), (422, UsageError), (400, UsageError), (503, NotRunningError)],
)
def test_a_problem_becomes_one_sentence_of_the_right_kind(status: int, kind: type[Exception]) -> None:
    error = error_of(answer(status, detail="no such run", errors=[{"pointer": "/env/A", "detail": "too long"}]))
    assert type(error) is kind
    assert str(error) == "no such run; /env/A: too long"


def test_an_answer_that_is_no_problem_object_is_told_by_its_status() -> None:
    page = httpx.Response(502, text="<html>", request=httpx.Request("GET", "http://x/y"))
    assert str(error_of(page)) == "http://x/y answered 502"


def test_a_name_is_one_segment_of_a_path() -> None:
    assert segment("a/b ü?") == "a%2Fb%20%C3%BC%3F"

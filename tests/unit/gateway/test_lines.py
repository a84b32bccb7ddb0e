"""Output frames become numbered lines, however they were cut into chunks."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from fastflow_events.errors import ContractError
from fastflow_events.output import Chunk, OutFrame
from fastflow_gateway.core.lines import START, Entry, Gap, Line, LineFold, LogPosition, after, position_of
from hypothesis import given
from hypothesis import strategies as st

T0 = datetime(2030, 1, 1, tzinfo=UTC)

frames = st.lists(
    st.builds(
        OutFrame,
        st.sampled_from(["stdout", "stderr"]),
        st.integers(0, 10_000).map(lambda ms: T0 + timedelta(milliseconds=ms)),
        st.lists(st.sampled_from([b"\n", b"a", b"\r", b"\xff", "ü".encode(), b"\x00"])).map(b"".join),
    ),
    max_size=25,
)


def out(data: bytes, stream: str = "stdout") -> OutFrame:
    return OutFrame(stream, T0, data)  # type: ignore[arg-type]


def lines_of(*chunks: Chunk) -> list[Line | Gap]:
    fold = LineFold()
    return [entry for chunk in chunks for _, entry in fold.feed(1, chunk)] + [entry for _, entry in fold.close()]


def one_chunk(*frames: OutFrame) -> Chunk:
    return Chunk(first=0, frames=frames, last=True)


def cut(all_frames: Sequence[OutFrame], cuts: Sequence[int]) -> list[Chunk]:
    edges = sorted({0, len(all_frames), *(c % (len(all_frames) + 1) for c in cuts)})
    chunks = [Chunk(first=a, frames=tuple(all_frames[a:b])) for a, b in pairwise(edges)]
    return [*chunks, Chunk(first=len(all_frames), frames=(), last=True)]


@given(frames, st.lists(st.integers(0, 100)))
def test_cutting_into_chunks_never_changes_a_line(story: list[OutFrame], cuts: list[int]) -> None:
    assert lines_of(*cut(story, cuts)) == lines_of(one_chunk(*story))


@given(frames, st.lists(st.integers(0, 100)))
def test_every_byte_of_each_stream_comes_back(story: list[OutFrame], cuts: list[int]) -> None:
    lines = [line for line in lines_of(*cut(story, cuts)) if isinstance(line, Line)]
    for stream in ("stdout", "stderr"):
        back = b"".join(
            (base64.b64decode(line.b64) if line.b64 else line.text.encode()) + (b"" if line.unterminated else b"\n")
            for line in lines
            if line.stream == stream
        )
        assert back == b"".join(f.data for f in story if f.stream == stream)


@given(frames, st.lists(st.integers(0, 100)), st.integers(0, 30))
def test_resuming_anywhere_loses_and_doubles_nothing(story: list[OutFrame], cuts: list[int], seen: int) -> None:
    def entries() -> list[Entry]:
        fold = LineFold()
        return [entry for chunk in cut(story, cuts) for entry in fold.feed(1, chunk)]

    whole = entries()
    first, rest = whole[:seen], whole[seen:]
    assert after(entries(), first[-1][0] if first else START) == rest


@given(frames)
def test_lines_are_numbered_without_holes_from_one(story: list[OutFrame]) -> None:
    assert [line.n for line in lines_of(one_chunk(*story)) if isinstance(line, Line)] == list(
        range(1, len(lines_of(one_chunk(*story))) + 1)
    )


def test_a_line_is_joined_over_frames_of_its_own_stream_only() -> None:
    chunk = one_chunk(out(b"he"), out(b"oops\n", "stderr"), out(b"llo\n"))
    assert [(line.stream, line.text) for line in lines_of(chunk) if isinstance(line, Line)] == [
        ("stderr", "oops"),
        ("stdout", "hello"),
    ]


def test_blank_lines_carriage_returns_and_nul_survive() -> None:
    assert [getattr(line, "text", None) for line in lines_of(one_chunk(out(b"\n10%\r20%\r\n\x00\n")))] == [
        "",
        "10%\r20%\r",
        "\x00",
    ]


def test_a_megabyte_line_is_one_line() -> None:
    pieces = [out(b"x" * 16_384)] * 64
    [line] = lines_of(one_chunk(*pieces, out(b"\n")))
    assert isinstance(line, Line)
    assert line.text == "x" * 16_384 * 64


def test_bytes_that_are_not_utf8_are_shown_and_kept() -> None:
    [line] = lines_of(one_chunk(out(b"caf\xe9\n")))
    assert line == Line(1, "stdout", T0, "caf\ufffd", base64.b64encode(b"caf\xe9").decode())


def test_a_character_cut_over_two_frames_is_whole_again() -> None:
    [line] = lines_of(one_chunk(out("ü".encode()[:1]), out("ü".encode()[1:] + b"\n")))
    assert isinstance(line, Line)
    assert (line.text, line.b64) == ("ü", None)


def test_a_missing_last_newline_is_told() -> None:
    [line] = lines_of(one_chunk(out(b"end")))
    assert isinstance(line, Line)
    assert line.unterminated


def test_an_unfinished_line_is_held_back_until_the_output_is_closed() -> None:
    fold = LineFold()
    assert fold.feed(1, Chunk(first=0, frames=(out(b"50%"),))) == []
    assert [str(place) for place, _ in fold.feed(1, Chunk(first=1, frames=(), last=True))] == ["1.1"]


def test_missing_frames_are_a_gap_and_end_the_line_before_them() -> None:
    first, gap, last = lines_of(
        Chunk(first=0, frames=(out(b"a"),)), Chunk(first=3, frames=(out(b"b\n"),), gap_bytes=12, last=True)
    )
    assert isinstance(first, Line)
    assert isinstance(last, Line)
    assert (first.text, gap, last.n) == ("a", Gap(after=1, frames=2, bytes=12), 2)


def test_frames_stored_twice_are_shown_once() -> None:
    fold = LineFold()
    fold.feed(1, Chunk(first=0, frames=(out(b"a\n"), out(b"b\n"))))
    again = fold.feed(1, Chunk(first=1, frames=(out(b"b\n"), out(b"c\n"))))
    assert [(str(place), getattr(line, "text", None)) for place, line in again] == [("1.3", "c")]


def test_each_attempt_counts_from_one() -> None:
    fold = LineFold()
    fold.feed(1, Chunk(first=0, frames=(out(b"a\nhalf"),)))
    second = fold.feed(2, Chunk(first=0, frames=(out(b"b\n"),)))
    assert [str(place) for place, _ in second] == ["1.2", "2.1"]


def test_what_a_given_up_attempt_writes_late_is_left_out() -> None:
    fold = LineFold()
    fold.feed(2, Chunk(first=0, frames=(out(b"b\n"),)))
    assert fold.feed(1, Chunk(first=0, frames=(out(b"late\n"),))) == []
    assert [str(place) for place, _ in fold.feed(2, Chunk(first=1, frames=(out(b"c\n"),)))] == ["2.2"]


def test_a_place_reads_as_it_is_written() -> None:
    assert position_of(str(LogPosition(2, 17))) == LogPosition(2, 17)
    assert position_of(str(LogPosition(2, 17, 3))) == LogPosition(2, 17, 3)


@pytest.mark.parametrize(
    "text", ["", "7", "a.b", "1.", ".1", "-1.2", "1.2.3.4", "1." + "9" * 16, "1.2\n", "٣.١", "9" * 40 + ".1"]
)
def test_what_names_no_line_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        position_of(text)

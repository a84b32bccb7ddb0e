"""Runner and gateway number lines alike, so that a reader may begin anywhere."""

import base64
from collections.abc import Sequence

from fastflow_events.output import Chunk, LineCounter, OutFrame, StreamName
from fastflow_events.testing.builders import NOON
from fastflow_gateway.core.lines import Entry, Gap, Line, LineFold, LogPosition, after, position_of
from hypothesis import given
from hypothesis import strategies as st

MAX_LINE_BYTES = 9
Piece = tuple[StreamName, bytes, int]
STREAMS: list[StreamName] = ["stdout", "stderr"]
pieces = st.lists(
    st.tuples(
        st.sampled_from(STREAMS),
        st.lists(st.sampled_from([b"\n", b"a", b"bc", b"\xff"]), max_size=6).map(b"".join),
        st.sampled_from([0, 0, 0, 7]),
    ),
    max_size=30,
)


def short_lines() -> LineFold:
    return LineFold(max_line_bytes=MAX_LINE_BYTES)


def chunks_of(story: Sequence[Piece], size: int) -> list[Chunk]:
    """What a runner stores: chunks of `size` frames, gaps at their beginnings only."""
    counter = LineCounter(max_line_bytes=MAX_LINE_BYTES)
    chunks: list[Chunk] = []
    frames: list[OutFrame] = []
    begun = (0, 0, (), 0, None)

    def close(*, last: bool = False) -> None:
        first, line, unfinished, gap, stream = begun
        made = Chunk(
            first=first,
            frames=tuple(frames),
            last=last,
            gap_bytes=gap,
            gap_stream=stream,
            line=line,
            open=unfinished,
        )
        chunks.append(made)
        frames.clear()

    for index, (stream, data, gap) in enumerate(story):
        if index and (gap or len(frames) >= size):
            close()
        if not frames:
            begun = (index, counter.complete, counter.open, gap, stream if gap else None)  # type: ignore[assignment]
        if gap:
            counter.gap(stream)
        frame = OutFrame(stream, NOON, data)
        counter.add(index, frame)
        frames.append(frame)
    close(last=True)
    return chunks


def entries_of(fold: LineFold, chunks: Sequence[Chunk]) -> list[Entry]:
    return [entry for chunk in chunks for entry in fold.feed(1, chunk)]


@given(pieces, st.integers(1, 8))
def test_a_chunk_begins_with_the_line_that_readers_reach_there(story: list[Piece], size: int) -> None:
    fold = short_lines()
    for chunk in chunks_of(story, size):
        assert chunk.line == fold._n
        assert [stream for stream, *_ in chunk.open] == list(fold._open)
        fold.feed(1, chunk)


@given(pieces, st.integers(1, 8), st.integers(1, 30))
def test_a_reader_who_begins_late_sees_the_same_lines(story: list[Piece], size: int, after_line: int) -> None:
    chunks = chunks_of(story, size)
    whole = [e for e in entries_of(short_lines(), chunks) if e[0] > LogPosition(1, after_line)]
    fitting = [c for c in chunks if c.line is not None and c.line < after_line]
    frame = min([fitting[-1].first, *(began for _, began, _ in fitting[-1].open)])
    begin = max(n for n, c in enumerate(chunks) if c.first <= frame)
    fold = short_lines()
    fold.begin_at(1, chunks[begin])
    late = entries_of(fold, chunks[begin:])
    assert [e for e in late if e[0] > LogPosition(1, after_line)] == whole


@given(pieces, st.integers(1, 8))
def test_however_long_a_line_is_every_byte_comes_back(story: list[Piece], size: int) -> None:
    found = [e for _, e in entries_of(short_lines(), chunks_of(story, size)) if isinstance(e, Line)]
    for stream in STREAMS:
        back = b"".join(
            (base64.b64decode(line.b64) if line.b64 else line.text.encode()) + (b"" if line.unterminated else b"\n")
            for line in found
            if line.stream == stream
        )
        assert back == b"".join(data for of, data, _ in story if of == stream)


def test_a_line_that_gets_too_long_is_told_in_pieces_that_are_numbered() -> None:
    piece: Piece = ("stdout", b"aaaaa", 0)
    story: list[Piece] = [*[piece] * 5, ("stdout", b"\n", 0)]
    found = entries_of(short_lines(), chunks_of(story, 2))
    assert [(e.n, e.text, e.unterminated) for _, e in found if isinstance(e, Line)] == [
        (1, "a" * 10, True),
        (2, "a" * 10, True),
        (3, "a" * 5, False),
    ]


def test_a_gap_of_one_stream_leaves_the_other_streams_line_alone() -> None:
    story: list[Piece] = [("stdout", b"o", 0), ("stderr", b"e", 0), ("stdout", b"", 500), ("stderr", b"rr\n", 0)]
    [(_, cut), (place, gap), (_, err)] = entries_of(short_lines(), chunks_of(story, 10))
    assert isinstance(cut, Line)
    assert isinstance(err, Line)
    assert (cut.text, cut.unterminated, err.text) == ("o", True, "err")
    assert (place, gap) == (LogPosition(1, 1, 1), Gap(after=1, frames=0, bytes=500))


@given(pieces, st.integers(1, 8), st.integers(1, 4))
def test_whoever_reads_page_by_page_comes_to_the_end_and_sees_everything_once(
    story: list[Piece], size: int, limit: int
) -> None:
    whole = entries_of(short_lines(), chunks_of(story, size))
    seen: list[Entry] = []
    place = LogPosition(0, 0)
    for _ in range(len(whole) + 1):
        page = after(whole, place)[:limit]
        if not page:
            break
        seen += page
        place = position_of(str(page[-1][0]))
    assert seen == whole

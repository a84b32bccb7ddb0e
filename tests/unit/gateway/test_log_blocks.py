"""Blocks hold the very lines that pages show, however output was cut."""

from datetime import datetime, timedelta

from fastflow_events.output import Chunk, OutFrame, StreamName
from fastflow_events.testing.builders import NOON
from fastflow_gateway.core.lines import Gap, Line, LineFold
from fastflow_gateway.core.log_blocks import Block, BlockFold
from hypothesis import given
from hypothesis import strategies as st

pieces = st.one_of(
    st.sampled_from(
        [b"one\n", b"\n", b"", b"two\nthree\n", b"half", "ü\n".encode(), "ü".encode()[:1], b"\xff\n", b"\n\n"]
    ),
    st.binary(max_size=6),
)
names: list[StreamName] = ["stdout", "stdout", "stderr"]
streams = st.sampled_from(names)


@st.composite
def chunks(draw: st.DrawFn) -> list[tuple[int, Chunk]]:
    """Attempts in chunks, some of them with gaps, some lost, some twice."""
    found: list[tuple[int, Chunk]] = []
    at = 0
    for attempt in range(1, draw(st.integers(1, 2)) + 1):
        first = 0
        for _ in range(draw(st.integers(1, 5))):
            frames = []
            for piece in draw(st.lists(pieces, max_size=6)):
                at += 1
                frames.append(OutFrame(draw(streams), NOON + timedelta(seconds=at), piece))
            chunk = Chunk(first=first, frames=tuple(frames), gap_bytes=draw(st.sampled_from([0, 0, 0, 0, 7])))
            first = chunk.next
            found += [(attempt, chunk)] * draw(st.sampled_from([1, 1, 1, 1, 0, 2]))
        found.append((attempt, Chunk(first=first, frames=(), last=True)))
    return found


def lines_in(block: Block) -> list[tuple[int, int, StreamName, datetime, str]]:
    offset, found = 0, []
    for n, line in enumerate(block.data.split(b"\n")[:-1], block.first):
        stream, at = block.piece_at(offset)
        found.append((block.attempt, n, stream, at, line.decode()))
        offset += len(line) + 1
    return found


@given(chunks(), st.sampled_from([4 << 20, 9]))
def test_blocks_and_pages_number_and_show_every_line_alike(stored: list[tuple[int, Chunk]], most: int) -> None:
    fold, blocks = LineFold(max_line_bytes=most), BlockFold(max_line_bytes=most)
    entries = [entry for attempt, chunk in stored for entry in fold.feed(attempt, chunk)] + fold.close()
    found = [block for attempt, chunk in stored for block in blocks.blocks(attempt, chunk)] + blocks.rest()
    wanted = [(p.attempt, line.n, line.stream, line.at, line.text) for p, line in entries if isinstance(line, Line)]
    assert [line for block in found for line in lines_in(block)] == wanted
    assert [gap for block in found for gap in block.gaps] == [gap for _, gap in entries if isinstance(gap, Gap)]


def test_what_is_as_usual_is_never_cut_into_lines() -> None:
    class Watched(BlockFold):
        fed = 0

        def feed(self, attempt: int, chunk: Chunk) -> list:  # type: ignore[type-arg]
            self.fed += 1
            return super().feed(attempt, chunk)

    fold = Watched()
    fold.blocks(1, Chunk(first=0, frames=(OutFrame("stdout", NOON, b"a"),)))
    told = [OutFrame("stdout", NOON, b"\nb\n"), OutFrame("stderr", NOON, b"c"), OutFrame("stderr", NOON, b"\nd")]
    [block] = fold.blocks(1, Chunk(first=1, frames=tuple(told)))
    [last] = fold.blocks(1, Chunk(first=4, frames=(OutFrame("stderr", NOON, b"d\n"),)))
    assert (block.data, last.data, last.first, fold.fed) == (b"a\nb\nc\n", b"dd\n", 4, 1)

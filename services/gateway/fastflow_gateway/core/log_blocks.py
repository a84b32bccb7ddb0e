"""Chunks of output → blocks of whole lines, without touching each line: what is searched and summed up.

Where a chunk is as chunks usually are (nothing missing, one stream after the other, UTF-8), its frames are joined and
its lines are only counted; everything else goes line by line through the fold that pages are read with. Both number
lines in the same way.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate, groupby

from fastflow_events.output import Chunk, OutFrame, StreamName
from msgspec import Struct

from fastflow_gateway.core.lines import Entry, Gap, LineFold
from fastflow_gateway.core.unfinished_lines import Begun


class Block(Struct, frozen=True):
    """Lines of one attempt that follow each other."""

    attempt: int
    first: int
    """Number of its first line."""
    data: bytes
    """The lines, UTF-8, each with a newline behind it."""
    starts: Sequence[int]
    """Where in `data` each piece begins; streams change between lines only."""
    pieces: Sequence[tuple[StreamName, datetime]]
    """Stream of each, and when the engine saw it."""
    gaps: Sequence[Gap] = ()

    @property
    def lines(self) -> int:
        """How many."""
        return self.data.count(b"\n")

    def piece_at(self, offset: int) -> tuple[StreamName, datetime]:
        """Stream and instant of the line that begins there."""
        return self.pieces[bisect_right(self.starts, offset) - 1]


class BlockFold(LineFold):
    """The lines of one run in blocks, fed with its chunks in stored order."""

    def blocks(self, attempt: int, chunk: Chunk) -> list[Block]:
        """What `chunk` completes."""
        if self._is_plain(attempt, chunk):
            found = self._joined(chunk)
            if found is not None:
                return found
        return _of_entries(self.feed(attempt, chunk))

    def rest(self) -> list[Block]:
        """The unfinished lines; nothing will complete them any more."""
        return _of_entries(self.close())

    def _is_plain(self, attempt: int, chunk: Chunk) -> bool:
        if attempt != self._attempt or chunk.first != self._next_frame or chunk.gap_bytes or chunk.last:
            return False
        runs = [(stream, [*frames]) for stream, frames in groupby(chunk.frames, _stream_of)]
        if not runs or (self._open and [*self._open] != [runs[0][0]]):
            return False
        return all(_ends(frames) for _, frames in runs[:-1])

    def _joined(self, chunk: Chunk) -> list[Block] | None:
        """None where it must go line by line after all."""
        frames = chunk.frames
        begun = self._open.get(frames[0].stream)
        before = begun.whole() if begun else b""
        data = b"".join([before, *(frame.data for frame in frames)])
        if len(data) + (begun.size if begun else 0) >= self._max_line_bytes or not _is_text(data):
            return None
        sizes = [len(before), *(len(frame.data) for frame in frames)]
        starts = [0, *accumulate(sizes[:-1])]
        pieces = [(frames[0].stream, begun.at if begun else frames[0].at), *((f.stream, f.at) for f in frames)]
        end = data.rfind(b"\n") + 1
        block = Block(self._attempt, self._n + 1, data[:end], starts, pieces)
        self._n += block.lines
        self._next_frame = chunk.next
        self._go_on(data, end, block, begun)
        return [block] if end else []

    def _go_on(self, data: bytes, end: int, block: Block, begun: Begun | None) -> None:
        """Keep what has not ended."""
        rest = data[end:]
        stream, at = block.pieces[-1][0], block.piece_at(end)[1]
        if end or begun is None:
            begun = Begun(at)
            begun.add(rest)
        else:
            begun.add(rest[len(begun.whole()) :])
        self._open = {stream: begun} if rest else {}


def _stream_of(frame: OutFrame) -> StreamName:
    return frame.stream


def _ends(frames: Sequence[OutFrame]) -> bool:
    """Whether a newline is the last that they say."""
    return next((frame.data.endswith(b"\n") for frame in reversed(frames) if frame.data), False)


def _is_text(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        # The end of a line that goes on may be half a character.
        try:
            data[: data.rfind(b"\n") + 1].decode()
        except UnicodeDecodeError:
            return False
    return True


def _of_entries(entries: Iterable[Entry]) -> list[Block]:
    blocks = []
    for attempt, theirs in groupby(entries, lambda entry: entry[0].attempt):
        found = [each for _, each in theirs]
        gaps = [each for each in found if isinstance(each, Gap)]
        lines = [each for each in found if not isinstance(each, Gap)]
        texts = [line.text.encode() + b"\n" for line in lines]
        starts = [0, *accumulate(len(text) for text in texts)][: len(texts)]
        first = lines[0].n if lines else gaps[0].after + 1
        pieces = [(line.stream, line.at) for line in lines]
        blocks.append(Block(attempt, first, b"".join(texts), starts, pieces, gaps))
    return blocks

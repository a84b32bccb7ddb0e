"""Chunks of output frames → numbered lines: a pure fold that does not care how frames were cut into chunks.

A line is numbered when it is complete, counting from 1 in each attempt, stdout and stderr together. Pieces of an
unfinished line wait, per stream, until its newline comes, it gets too long, output is known to be missing, or the
attempt is over; what they say meanwhile is told by `parts`. The runner counts in the same way (`LineCounter`), so that
a chunk knows which line it begins with.
"""

import base64
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

from fastflow_events.errors import ContractError
from fastflow_events.output import MAX_LINE_BYTES, Chunk, OutFrame, StreamName
from msgspec import Struct

from fastflow_gateway.core.faults import OutputPlace
from fastflow_gateway.core.unfinished_lines import PART_BYTES, Begun, Part

_PLACE = re.compile(r"([0-9]{1,9})\.([0-9]{1,15})(?:\.([0-9]{1,9}))?")
_NEVER = datetime.fromtimestamp(0, UTC)


class LogPosition(NamedTuple):
    """A line of a run: attempt and number, both counting from 1; line 0 is before the first.

    Each of the gaps right behind it has a place of its own, so that whoever goes on behind one is not told of it again.
    """

    attempt: int
    n: int
    gap: int = 0
    """Counting from 1; 0 is the line itself."""

    def __str__(self) -> str:
        return f"{self.attempt}.{self.n}" + (f".{self.gap}" if self.gap else "")


START = LogPosition(0, 0)


def position_of(text: str) -> LogPosition:
    """Read `<attempt>.<line>`, or `<attempt>.<line>.<gap>`.

    Raises:
        ContractError: the text names no line.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ContractError(OutputPlace(), given=text[:40])
    return LogPosition(int(found[1]), int(found[2]), int(found[3] or 0))


class Line(Struct, frozen=True, omit_defaults=True, gc=False):
    """One line of output."""

    n: int
    stream: StreamName
    at: datetime
    """When the engine saw the line begin, UTC."""
    text: str
    """Without its newline; bytes that are not UTF-8 read as U+FFFD."""
    b64: str | None = None
    """The exact bytes; only where `text` cannot hold them."""
    unterminated: bool = False
    """True when no newline ended the line."""


class Gap(Struct, frozen=True, gc=False):
    """Output is missing here, and how much of it is known."""

    after: int
    """Number of the line before the gap."""
    frames: int
    bytes: int


Entry: TypeAlias = tuple[LogPosition, Line | Gap]


class LineFold:
    """The lines of one run, fed with its chunks in stored order; each line comes out once."""

    def __init__(self, *, max_line_bytes: int = MAX_LINE_BYTES, part_bytes: int = PART_BYTES) -> None:
        self._max_line_bytes, self._part_bytes = max_line_bytes, part_bytes
        self._attempt = 0
        self._next_frame = 0
        self._n = 0
        self._gaps = (0, 0)
        """The line behind which the newest gap is, and how many there are."""
        self._open: dict[StreamName, Begun] = {}

    def begin_at(self, attempt: int, chunk: Chunk) -> None:
        """Be as if everything before `chunk` had been fed, which says how many lines those were.

        Lines that were unfinished there come out without their beginnings, but with their numbers.
        """
        self._attempt, self._next_frame, self._n = attempt, chunk.first, chunk.line or 0
        at = chunk.frames[0].at if chunk.frames else _NEVER
        self._open = {stream: Begun(at, size) for stream, _, size in chunk.open}

    def feed(self, attempt: int, chunk: Chunk) -> list[Entry]:
        """The entries that `chunk` completes, oldest first; frames that came before are skipped.

        What a given-up attempt still writes once the next one has begun is left out, so that places only grow.
        """
        entries: list[Entry] = []
        if attempt < self._attempt:
            return entries
        if attempt != self._attempt:
            entries += self.close()
            self._attempt, self._next_frame, self._n, self._gaps = attempt, 0, 0, (0, 0)
        missing = max(0, chunk.first - self._next_frame)
        if missing:
            entries += self.close()
            self._n = max(self._n, chunk.line or 0)
        if missing or chunk.gap_bytes:
            entries += self._end(chunk.gap_stream)
            gap = Gap(after=self._n, frames=missing, bytes=chunk.gap_bytes)
            line, before = self._gaps
            self._gaps = (self._n, before + 1 if line == self._n else 1)
            entries.append((LogPosition(attempt, *self._gaps), gap))
        self._lines(entries, chunk.frames[max(0, self._next_frame - chunk.first) :])
        self._next_frame = max(self._next_frame, chunk.next)
        if chunk.last:
            entries += self.close()
        return entries

    def close(self) -> list[Entry]:
        """The unfinished lines, the one that began first first; nothing will complete them any more."""
        return self._end(None)

    def parts(self) -> list[Part]:
        """What is new in the unfinished lines since this was asked last, the one that began first first."""
        numbered = enumerate(self._open.items(), self._n + 1)
        news = [begun.news(stream, n, self._part_bytes) for n, (stream, begun) in numbered]
        return [part for part in news if part]

    def told(self) -> list[Part]:
        """What all that `parts` gave so far says of the lines that have not ended, for a reader who comes later."""
        known = [begun.told(stream, self._part_bytes) for stream, begun in self._open.items()]
        return [part for part in known if part]

    @property
    def has_begun(self) -> bool:
        """True while a line has not ended."""
        return bool(self._open)

    def _end(self, stream: StreamName | None) -> list[Entry]:
        """The unfinished line of one stream, or of both."""
        ended = {name: line for name, line in self._open.items() if stream in (None, name)}
        self._open = {name: line for name, line in self._open.items() if name not in ended}
        return [self._entry(name, begun.at, begun.whole(), True) for name, begun in ended.items()]

    def _lines(self, entries: list[Entry], frames: Iterable[OutFrame]) -> None:
        for frame in frames:
            stream, at, data = frame.stream, frame.at, frame.data
            began = self._open.get(stream)
            if began is None and data.find(b"\n") == len(data) - 1 and data:  # the usual case: exactly one line
                entries.append(self._entry(stream, at, data[:-1], False))
                continue
            head, *rest = data.split(b"\n")
            if not rest:
                if head:
                    self._keep(entries, stream, began or Begun(at), head)
                continue
            if began is not None:
                del self._open[stream]
                began.add(head)
                at, head = began.at, began.whole()
            entries.append(self._entry(stream, at, head, False))
            tail = rest.pop()
            entries += [self._entry(stream, frame.at, piece, False) for piece in rest]
            if tail:
                self._keep(entries, stream, Begun(frame.at), tail)

    def _keep(self, entries: list[Entry], stream: StreamName, begun: Begun, piece: bytes) -> None:
        """Wait for the rest of a line, unless it is too long already."""
        begun.add(piece)
        if begun.size < self._max_line_bytes:
            self._open[stream] = begun
        else:
            self._open.pop(stream, None)
            entries.append(self._entry(stream, begun.at, begun.whole(), True))

    def _entry(self, stream: StreamName, at: datetime, data: bytes, unterminated: bool) -> Entry:
        self._n += 1
        place = LogPosition(self._attempt, self._n)
        try:
            return place, Line(self._n, stream, at, data.decode(), None, unterminated)
        except UnicodeDecodeError:
            exact = base64.b64encode(data).decode()
            return place, Line(self._n, stream, at, data.decode(errors="replace"), exact, unterminated)


def after(entries: Iterable[Entry], place: LogPosition) -> list[Entry]:
    """What a reader who has seen everything up to `place` has not seen."""
    return [e for e in entries if e[0] > place]


def cut(line: Line, most: int | None) -> tuple[str, str | None, int]:
    """At most so many characters of a line: its text, its exact bytes where text is not exact, and bytes left off."""
    if most is None or len(line.text) <= most:
        return line.text, line.b64, 0
    if line.b64 is None:
        return line.text[:most], None, len(line.text[most:].encode())
    data = base64.b64decode(line.b64)
    return data[:most].decode(errors="replace"), base64.b64encode(data[:most]).decode(), len(data) - most

"""What stands out in a run's output, and where: a pure fold over blocks of lines whose size is bounded."""

import re
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby, pairwise
from typing import Literal, TypeAlias

import re2
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.log_blocks import Block
from fastflow_gateway.core.log_levels import errors_in, is_traceback

MOST_MARKS = 400
"""Of one kind in one attempt; where there are more, neighbours become one."""
TEXT_CHARS = 200
MarkKind: TypeAlias = Literal["error", "traceback", "stderr", "gap", "cell"]
_options = re2.Options()
_options.never_nl = True
_CELL_LINE = re2.compile(rb"(?m)^fast-flow: cell [0-9]", _options)
_CELL = re.compile(r"fast-flow: cell (\d{1,6}) of \d+(?:, try (\d+) of \d+)?(?P<end>: .*)?", re.ASCII)


class Mark(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Lines that stand out."""

    kind: MarkKind
    from_line: int
    """Of a gap the line before it."""
    to_line: int
    count: int = 1
    """How many of the kind are in there: lines, tracebacks, gaps; one for a cell."""
    line_text: str = ""
    """How the first of them begins; of errors and tracebacks."""
    missing_bytes: int = 0
    missing_frames: int = 0
    cell: int | None = None


class CellLines(Struct, frozen=True, kw_only=True):
    """What the driver of a notebook said of one cell."""

    cell: int
    from_line: int
    """Where it says that the cell begins, the first time."""
    to_line: int
    """Where it says that it has ended, the last line so far before that."""
    started_at: datetime
    finished_at: datetime | None = None
    """Null while it is being executed, and when it never ended."""
    tries: int = 1
    failure: str = ""
    """Why the last try failed, in the driver's words."""


class AttemptMarks(Struct, frozen=True, kw_only=True):
    """One attempt's output at a glance."""

    attempt: int
    lines: int
    bytes: int
    """Of its lines with their newlines, as far as they are text."""
    stderr_lines: int
    errors: int
    tracebacks: int
    first_at: datetime | None
    last_at: datetime | None
    marks: list[Mark]
    """By kind, and within it by line; at most 400 of each."""


class _Marks:
    """Those of one kind: all of them while they are few, then neighbours together, the nearest first."""

    def __init__(self, most: int) -> None:
        self.found: list[Mark] = []
        self._most = most

    def add(self, mark: Mark) -> None:
        if self.found and mark.from_line - self.found[-1].to_line <= 1:
            self.found[-1] = _together(self.found[-1], mark)
            return
        self.found.append(mark)
        if len(self.found) > self._most:
            self.found = _fewer(self.found)


def _fewer(marks: list[Mark]) -> list[Mark]:
    """A quarter of them less at least; each holds at most two of those before."""
    between = sorted(after.from_line - before.to_line for before, after in pairwise(marks))
    near, fewer, is_pair = between[len(between) // 2], marks[:1], False
    for mark in marks[1:]:
        is_pair = not is_pair and mark.from_line - fewer[-1].to_line <= near
        if is_pair:
            fewer[-1] = _together(fewer[-1], mark)
        else:
            fewer.append(mark)
    return fewer


def _together(one: Mark, more: Mark) -> Mark:
    return replace(
        one,
        to_line=max(one.to_line, more.to_line),
        count=one.count + more.count,
        missing_bytes=one.missing_bytes + more.missing_bytes,
        missing_frames=one.missing_frames + more.missing_frames,
    )


class AttemptFold:
    """The marks of one attempt, fed with its blocks."""

    def __init__(self, attempt: int, *, most_marks: int = MOST_MARKS) -> None:
        self.attempt = attempt
        self.lines = 0
        self.cells: dict[int, CellLines] = {}
        self._bytes = self._stderr = self._errors = self._tracebacks = 0
        self._first_at: datetime | None = None
        self._last_at: datetime | None = None
        self._kinds: dict[MarkKind, _Marks] = {
            kind: _Marks(most_marks) for kind in ("error", "traceback", "stderr", "gap")
        }

    def feed(self, block: Block) -> None:
        """Take the lines that follow."""
        for gap in block.gaps:
            self._mark("gap", gap.after, gap.after, missing_bytes=gap.bytes, missing_frames=gap.frames)
        if not block.data:
            return
        lines = block.lines
        self.lines = block.first + lines - 1
        self._bytes += len(block.data)
        self._first_at = self._first_at or block.pieces[0][1]
        self._last_at = block.pieces[-1][1]
        self._take_stderr(block)
        counter = _Counter(block)
        for offset, text in errors_in(block.data):
            n = counter.line_of(offset)
            self._errors += 1
            self._mark("error", n, n, line_text=text[:TEXT_CHARS])
            if is_traceback(text):
                self._tracebacks += 1
                self._mark("traceback", n, n, line_text=text[:TEXT_CHARS])
        self._take_cells(block)

    def shown(self) -> AttemptMarks:
        """What is known now."""
        marks = [mark for kind in self._kinds.values() for mark in kind.found]
        marks += [
            Mark(kind="cell", from_line=cell.from_line, to_line=cell.to_line, cell=cell.cell)
            for cell in [*self.cells.values()][:MOST_MARKS]
        ]
        return AttemptMarks(
            attempt=self.attempt,
            lines=self.lines,
            bytes=self._bytes,
            stderr_lines=self._stderr,
            errors=self._errors,
            tracebacks=self._tracebacks,
            first_at=self._first_at,
            last_at=self._last_at,
            marks=marks,
        )

    def _mark(
        self,
        kind: MarkKind,
        first: int,
        last: int,
        *,
        count: int = 1,
        line_text: str = "",
        missing_bytes: int = 0,
        missing_frames: int = 0,
    ) -> None:
        mark = Mark(
            kind=kind, from_line=first, to_line=last, count=count, line_text=line_text,
            missing_bytes=missing_bytes, missing_frames=missing_frames,
        )  # fmt: skip
        self._kinds[kind].add(mark)

    def _take_stderr(self, block: Block) -> None:
        ends = [*block.starts[1:], len(block.data)]
        pieces = zip(block.pieces, block.starts, ends, strict=True)
        n = block.first
        for stream, together in groupby(pieces, lambda piece: piece[0][0]):
            run = [*together]
            lines = block.data.count(b"\n", min(run[0][1], len(block.data)), run[-1][2])
            if stream == "stderr" and lines:
                self._stderr += lines
                self._mark("stderr", n, n + lines - 1, count=lines)
            n += lines

    def _take_cells(self, block: Block) -> None:
        counter, at = _Counter(block), 0
        while (found := _CELL_LINE.search(block.data, at)) is not None:
            end = block.data.find(b"\n", found.start())
            line = block.data[found.start() : min(end, found.start() + 4000)].decode("utf-8", "replace")
            if named := _CELL.match(line):
                self._take_cell(
                    int(named[1]), named["end"] or "", counter.line_of(found.start()), block.piece_at(found.start())[1]
                )
            at = end + 1

    def _take_cell(self, number: int, words: str, n: int, at: datetime) -> None:
        cell = self.cells.get(number)
        if cell is None:
            if len(self.cells) < MOST_MARKS:
                self.cells[number] = CellLines(cell=number, from_line=n, to_line=n, started_at=at)
            return
        if not words:  # it is tried once more
            self.cells[number] = replace(cell, to_line=n, finished_at=None, failure="", tries=cell.tries + 1)
            return
        _, failed, why = words.partition(": failed after ")
        self.cells[number] = replace(cell, to_line=n, finished_at=at, failure=why.partition(": ")[2] if failed else "")


class _Counter:
    """Numbers of lines at growing offsets of a block."""

    def __init__(self, block: Block) -> None:
        self._data, self._n, self._at = block.data, block.first, 0

    def line_of(self, offset: int) -> int:
        self._n += self._data.count(b"\n", self._at, offset)
        self._at = offset
        return self._n


class MarksFold:
    """The marks of a run, attempt by attempt."""

    def __init__(self) -> None:
        self.attempts: dict[int, AttemptFold] = {}

    def feed(self, blocks: Iterable[Block]) -> None:
        """Take what follows."""
        for block in blocks:
            fold = self.attempts.get(block.attempt)
            if fold is None:
                fold = self.attempts[block.attempt] = AttemptFold(block.attempt)
            fold.feed(block)

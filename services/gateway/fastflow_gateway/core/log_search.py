"""Finding lines in blocks of them, with RE2: whole blocks at once, and no expression takes more than linear time."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime

import re2
from fastflow_events.output import StreamName
from msgspec import Struct

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.log_blocks import Block
from fastflow_gateway.core.log_faults import ExpressionTooLarge, NoExpression

MOST_STEPS = 1000
"""Of a compiled expression; each letter may cost so many in the worst case."""
MOST_RANGES = 100
"""Of one line; those behind them are not shown."""
SLICE_BYTES = 65_536
"""Searched at once; longer lines are searched in parts that overlap, so a longer match may be missed in them."""
_OVERLAP_BYTES = 4096
_SHOWN_BYTES = 2000
"""Of a line: what is around the match."""
_BEFORE_BYTES = 200
_CONTEXT_BYTES = 2000


class Range(Struct, frozen=True, array_like=True):
    """Characters (Unicode code points) of the text shown that match: first, and behind the last."""

    begin: int
    end: int


class NearLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line before or behind one that matches."""

    n: int
    stream: StreamName
    at: datetime
    line_text: str
    missing_bytes: int = 0
    """Of the line, behind the text; it is cut after 2 000."""


class Match(Struct, kw_only=True, omit_defaults=True):
    """A line that matches."""

    attempt: int
    n: int
    stream: StreamName
    at: datetime
    line_text: str
    """The line, or what is around its first match where it has more than 2 000 bytes."""
    ranges: list[Range]
    """At most 100; none where nothing matches, as `^$` does."""
    before_bytes: int = 0
    """Of the line, before the text."""
    missing_bytes: int = 0
    """Of the line, behind the text."""
    before: list[NearLine]
    after: list[NearLine]


class Expression:
    """What is searched for."""

    def __init__(self, q: str, *, regex: bool, case: bool) -> None:
        """Compile it.

        Raises:
            InvalidParameterError: it is no expression, or too large a one.
        """
        options = re2.Options()
        options.never_nl, options.log_errors, options.never_capture = True, False, True
        options.case_sensitive = case
        try:
            self.compiled = re2.compile(f"(?m){q if regex else re2.escape(q)}", options)
        except re2.error as exc:
            words = exc.args[0].decode("utf-8", "replace") if isinstance(exc.args[0], bytes) else str(exc)
            _, _, where = words.partition(": ")
            place = max(q.find(where.removeprefix("(?m)")), 0) + 1
            raise InvalidParameterError(
                NoExpression(words.replace("(?m)", "")[:300], place), parameter="q", place=place
            ) from exc
        if (steps := self.compiled.programsize) > MOST_STEPS:
            raise InvalidParameterError(ExpressionTooLarge(steps, MOST_STEPS), parameter="q")
        self._by_line = regex and ("\\A" in q or "\\z" in q)

    def lines_in(self, data: bytes, at: int) -> Iterator[tuple[int, int]]:
        """Where lines that match begin, and where in them the first match does."""
        while at < len(data):
            stop = self._stop(data, at)
            found = self.compiled.search(data[at:stop], 0) if self._by_line else self.compiled.search(data, at, stop)
            if found is not None:
                begin = found.start() + (at if self._by_line else 0)
                line = data.rfind(b"\n", 0, begin) + 1
                if begin < len(data):
                    yield line, begin
                at = data.find(b"\n", begin) + 1 or len(data)
            elif self._by_line:
                at = stop + 1
            elif data[stop - 1 : stop] == b"\n" or stop >= len(data):
                at = stop
            else:
                at = stop - _OVERLAP_BYTES

    def _stop(self, data: bytes, at: int) -> int:
        if self._by_line:
            return data.find(b"\n", at)
        if len(data) - at <= SLICE_BYTES:
            return len(data)
        return data.rfind(b"\n", at, at + SLICE_BYTES) + 1 or at + SLICE_BYTES

    def ranges(self, text: str) -> list[Range]:
        """Where a text of one line matches."""
        found = []
        for match in self.compiled.finditer(text):
            if match.end() > match.start():
                found.append(Range(match.start(), match.end()))
            if len(found) == MOST_RANGES:
                break
        return found


class Finder:
    """The lines that match, with those around them, fed with blocks that follow each other."""

    def __init__(self, expression: Expression, *, context: int, stream: StreamName | None, after_line: int = 0) -> None:
        """Lines of the first block up to `after_line` are context only."""
        self.found: list[Match] = []
        self._expression, self._context, self._stream, self._after = expression, context, stream, after_line
        self._attempt = 0
        self._near: deque[NearLine] = deque(maxlen=context)
        self._owed: list[Match] = []
        """Those that some lines behind them are still missing from."""

    @property
    def is_owed(self) -> bool:
        """Whether a match still lacks lines behind it."""
        return bool(self._owed)

    def feed(self, block: Block, most: int) -> None:
        """Search it for at most `most` more matches."""
        if block.attempt != self._attempt:
            self._after = self._after if self._attempt == 0 else 0
            self._attempt, self._owed = block.attempt, []
            self._near.clear()
        self._pay(block)
        for begin, at in self._expression.lines_in(block.data, 0):
            if most <= 0:
                break
            stream, _ = block.piece_at(begin)
            if self._stream not in (None, stream):
                continue
            n = block.first + block.data.count(b"\n", 0, begin)
            if n <= self._after:
                continue
            self.found.append(self._match(block, begin, at, n))
            most -= 1
        self._remember(block)

    def _match(self, block: Block, begin: int, at: int, n: int) -> Match:
        stream, instant = block.piece_at(begin)
        end = block.data.find(b"\n", begin)
        first = begin if end - begin <= _SHOWN_BYTES else max(begin, min(at - _BEFORE_BYTES, end - _SHOWN_BYTES))
        first, last = _whole(block.data, first), _whole(block.data, min(end, first + _SHOWN_BYTES))
        text = block.data[first:last].decode()
        near = [*self._near, *_backwards(block, begin, n, self._context)]
        behind = _forwards(block, end + 1, n + 1, self._context)
        match = Match(
            attempt=block.attempt,
            n=n,
            stream=stream,
            at=instant,
            line_text=text,
            ranges=self._expression.ranges(text),
            before_bytes=first - begin,
            missing_bytes=end - last,
            before=near[len(near) - self._context :] if len(near) > self._context else near,
            after=behind,
        )
        if len(behind) < self._context:
            self._owed.append(match)
        return match

    def _pay(self, block: Block) -> None:
        lines = _forwards(block, 0, block.first, self._context) if self._owed else []
        for match in self._owed:
            match.after += lines[: self._context - len(match.after)]
        self._owed = [match for match in self._owed if len(match.after) < self._context]

    def _remember(self, block: Block) -> None:
        if self._context:
            self._near.extend(_backwards(block, len(block.data), block.first + block.lines, self._context))


def _near(block: Block, begin: int, end: int, n: int) -> NearLine:
    stream, at = block.piece_at(begin)
    last = _whole(block.data, min(end, begin + _CONTEXT_BYTES))
    return NearLine(n=n, stream=stream, at=at, line_text=block.data[begin:last].decode(), missing_bytes=end - last)


def _forwards(block: Block, begin: int, n: int, most: int) -> list[NearLine]:
    found: list[NearLine] = []
    while len(found) < most and begin < len(block.data):
        end = block.data.find(b"\n", begin)
        found.append(_near(block, begin, end, n + len(found)))
        begin = end + 1
    return found


def _backwards(block: Block, end: int, n: int, most: int) -> list[NearLine]:
    """The lines before the one, number `n`, that begins at `end`."""
    found: list[NearLine] = []
    while len(found) < most and end > 0:
        begin = block.data.rfind(b"\n", 0, end - 1) + 1
        found.append(_near(block, begin, end - 1, n - 1 - len(found)))
        end = begin
    return found[::-1]


def _whole(data: bytes, at: int) -> int:
    """The place, or just before it, where a character begins."""
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at -= 1
    return at

"""Where two outputs begin to differ, apart from what differs in every run. Pure."""

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from fastflow_gateway.core.line_shapes import shape_of
from fastflow_gateway.core.lines import Line

AROUND = 10
"""Lines shown before and behind the first difference."""
_SHOWN_CHARS = 500


class ShownLine(Struct, frozen=True, kw_only=True):
    """A line near the difference."""

    n: int
    line_text: str
    """At most 500 characters."""


class OutputDifference(Struct, frozen=True, kw_only=True):
    """Where two outputs begin to differ."""

    before_line: int | None
    """Line of the run compared with that is the first to differ; null where its output is over by then."""
    after_line: int | None
    """The same of the run itself."""
    before: list[ShownLine]
    """Ten lines before the difference to ten behind it."""
    after: list[ShownLine]


class Comparison:
    """Two outputs, fed as they are read; over at the first difference and some lines more."""

    def __init__(self) -> None:
        self.equal = 0
        """Lines that say the same."""
        self._sides: tuple[deque[Line], deque[Line]] = (deque(), deque())
        self._past: tuple[deque[Line], deque[Line]] = (deque(maxlen=AROUND), deque(maxlen=AROUND))
        self._differ = False
        self._ended = [False, False]

    def wants(self, side: int) -> bool:
        """Whether more of one side (0: before, 1: after) is needed."""
        enough = AROUND + 1 if self._differ else 1
        return not self._ended[side] and len(self._sides[side]) < enough

    @property
    def is_done(self) -> bool:
        """Whether nothing more has to be read."""
        return not (self.wants(0) or self.wants(1))

    def feed(self, side: int, lines: Sequence[Line]) -> None:
        """Take what follows on one side."""
        self._sides[side].extend(lines)
        self._compare()

    def end(self, side: int) -> None:
        """There is nothing more on one side."""
        self._ended[side] = True
        self._compare()

    def difference(self) -> OutputDifference | None:
        """The first one; None where there is none."""
        if not self._differ:
            return None
        shown = [[*past, *[*left][: AROUND + 1]] for past, left in zip(self._past, self._sides, strict=True)]
        at = [left[0].n if left else None for left in self._sides]
        return OutputDifference(before_line=at[0], after_line=at[1], before=_shown(shown[0]), after=_shown(shown[1]))

    def _compare(self) -> None:
        before, after = self._sides
        while not self._differ and before and after:
            if before[0].text != after[0].text and shape_of(before[0].text) != shape_of(after[0].text):
                self._differ = True
                return
            self.equal += 1
            self._past[0].append(before.popleft())
            self._past[1].append(after.popleft())
        if (self._ended[0] and not before and after) or (self._ended[1] and not after and before):
            self._differ = True


def _shown(lines: Sequence[Line]) -> list[ShownLine]:
    return [ShownLine(n=line.n, line_text=line.text[:_SHOWN_CHARS]) for line in lines]

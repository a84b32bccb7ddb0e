"""Keeping the values of a run's secrets out of its output, however the output is cut into frames.

A value is recognised as it is, in base64 at each of the three alignments, URL-escaped and escaped as in JSON or in
Python's `repr`. Each stream is looked at as one text: of a frame only that ending is held back which may be the
beginning of a value, and it leaves with the next frame, or at the end. So frames keep their number and their order,
what is not a value passes byte for byte, and the result does not depend on where frames begin.
"""

import re
from collections.abc import Iterable
from typing import Protocol

from fastflow_events.output import OutFrame
from msgspec.structs import replace

from fastflow_runner.entry.mask_forms import MIN_BYTES, forms

MASK = b"***"
_SHORT = 64
"""Bytes of data per needle up to which one expression is faster than asking for each needle."""
_HEAD = 8
"""Bytes of a needle that make it worth while to look for the whole of it."""


class Mask(Protocol):
    """What stands between the engine's frames and the log; fed with every frame of an attempt once, in order."""

    def feed(self, frame: OutFrame, *, gap: bool = False) -> OutFrame:
        """The frame as it may leave, possibly without its ending, possibly empty; after a gap output is missing."""

    def rest(self) -> list[OutFrame]:
        """What was held back, once nothing follows."""

    def text(self, text: str) -> str:
        """A text that is complete."""


class Masker:
    """Masks the given values on both streams of one attempt."""

    def __init__(self, values: Iterable[str]) -> None:
        self._needles = Needles(forms(values))
        self._streams = {"stdout": Stream(self._needles), "stderr": Stream(self._needles)}
        self._last: dict[str, OutFrame] = {}

    def feed(self, frame: OutFrame, *, gap: bool = False) -> OutFrame:
        """The frame without values; at a gap also without what may be half of one."""
        self._last[frame.stream] = frame
        stream = self._streams[frame.stream]
        data = stream.feed_after_gap(frame.data) if gap else stream.feed(frame.data)
        return frame if data is frame.data else replace(frame, data=data)

    def rest(self) -> list[OutFrame]:
        """At most one frame per stream."""
        ends = [replace(frame, data=self._streams[name].end()) for name, frame in self._last.items()]
        return [frame for frame in ends if frame.data]

    def text(self, text: str) -> str:
        """The text without values."""
        stream = Stream(self._needles)
        return (stream.feed(text.encode()) + stream.end()).decode(errors="replace")


class Needles:
    """Byte strings to look for, none of them shorter than `MIN_BYTES`."""

    def __init__(self, needles: Iterable[bytes]) -> None:
        self.all = tuple(sorted(needles, key=lambda needle: (-len(needle), needle)))
        self._any = re.compile(_any_of({needle[:_HEAD] for needle in self.all}))
        self._inside = frozenset(n[at : at + MIN_BYTES] for n in self.all for at in range(len(n) - MIN_BYTES))
        self._begins = frozenset(n[:size] for n in self.all for size in range(1, MIN_BYTES))

    def found(self, data: bytes) -> list[tuple[int, int]]:
        """Start and end of every stretch that needles cover, in order; needles that overlap are one stretch."""
        if not self.all or (len(data) < _SHORT * len(self.all) and not self._any.search(data)):
            return []
        hits: list[tuple[int, int]] = []
        for needle in self.all:
            at = data.find(needle)
            while at >= 0:
                hits.append((at, at + len(needle)))
                at = data.find(needle, at + 1)
        return _joined(sorted(hits))

    def begun(self, data: bytes) -> int:
        """Length of the longest ending of `data` with which a needle begins but does not end."""
        last = data[-MIN_BYTES:]
        if len(last) == MIN_BYTES and last in self._inside:
            longest = max(_overlap(data, last, needle) for needle in self.all)
            if longest:
                return longest
        for size in range(min(MIN_BYTES - 1, len(data)), 0, -1):
            if data[-size:] in self._begins:
                return size
        return 0

    def ended(self, data: bytes) -> int:
        """Length of the longest beginning of `data` in which a needle goes on that began before, 4 bytes or more."""
        return max((_going_on(data, needle) for needle in self.all), default=0) if len(data) >= MIN_BYTES else 0


class Stream:
    """One stream on its way; holds at most as much as the longest needle but one byte."""

    def __init__(self, needles: Needles) -> None:
        self._needles = needles
        self._held = b""
        self._covered = 0
        """How many of the held bytes belong to a value for which the mask has left already."""

    def feed(self, data: bytes) -> bytes:
        """What may leave now."""
        text = self._held + data if self._held else data
        return self._pass(text, len(text) - self._needles.begun(text))

    def feed_after_gap(self, data: bytes) -> bytes:
        """The same where output is missing before `data`: neither half of a value that the gap cut in two leaves."""
        half = len(self._held) - self._covered >= MIN_BYTES
        before = MASK if half else self.end()
        self._held, self._covered = b"", 0
        ended = self._needles.ended(data)
        return before + (MASK if ended else b"") + self.feed(data[ended:])

    def end(self) -> bytes:
        """What was held back and turned out to be the beginning of nothing."""
        return self._pass(self._held, len(self._held))

    def _pass(self, text: bytes, until: int) -> bytes:
        stretches = self._needles.found(text)
        at = self._covered
        if not stretches and not at and until == len(text):
            self._held = b""
            return text
        pieces: list[bytes] = []
        for start, end in stretches:
            if start < at:
                at = max(at, end)
            elif start < until:
                pieces += (text[at:start], MASK)
                at = end
        pieces.append(text[at:until])
        self._held, self._covered = text[until:], max(0, at - until)
        return b"".join(pieces)


def _any_of(heads: set[bytes]) -> bytes:
    """An expression for any of them, sorted by first bytes: many alternatives side by side are slow."""
    by_first: dict[bytes, list[bytes]] = {}
    for head in sorted(heads):
        by_first.setdefault(head[:1], []).append(re.escape(head[1:]))
    return b"|".join(re.escape(first) + b"(?:" + b"|".join(rests) + b")" for first, rests in by_first.items())


def _joined(hits: list[tuple[int, int]]) -> list[tuple[int, int]]:
    stretches: list[tuple[int, int]] = []
    for start, end in hits:
        if stretches and start < stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        else:
            stretches.append((start, end))
    return stretches


def _overlap(data: bytes, last: bytes, needle: bytes) -> int:
    """Length of the longest proper beginning of `needle` that ends in `last` and with which `data` ends; 0 for none."""
    at = needle.rfind(last, 0, len(needle) - 1)
    while at >= 0:
        size = at + len(last)
        if size <= len(data) and data.endswith(needle[:size]):
            return size
        at = needle.rfind(last, 0, size - 1)
    return 0


def _going_on(data: bytes, needle: bytes) -> int:
    """Length of the longest piece of `needle`, but not its beginning, that `data` begins with and does not leave."""
    at = needle.find(data[:MIN_BYTES], 1)
    while at >= 0:
        piece = needle[at : at + len(data)]
        if data.startswith(piece) and (at + len(piece) == len(needle) or len(piece) == len(data)):
            return len(piece)
        at = needle.find(data[:MIN_BYTES], at + 1)
    return 0


class Withheld:
    """Lets nothing out but a sentence at the end: values that were given to the run cannot be opened to be masked."""

    def __init__(self, notice: OutFrame) -> None:
        self._notice = notice

    def feed(self, frame: OutFrame, *, gap: bool = False) -> OutFrame:
        """The frame, empty."""
        return replace(frame, data=b"")

    def rest(self) -> list[OutFrame]:
        """The sentence."""
        return [self._notice]

    def text(self, text: str) -> str:
        """Nothing."""
        return MASK.decode()

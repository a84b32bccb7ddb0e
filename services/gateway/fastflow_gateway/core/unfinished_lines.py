"""A line that has not ended yet: kept in pieces until it does, and told meanwhile, each byte once per reader.

What is told is provisional: a part has no place of its own, and the whole line comes once more when it ends.
"""

import base64
from datetime import datetime
from typing import Literal, NamedTuple

from fastflow_events.output import StreamName
from msgspec import Struct

PART_BYTES = 16_384
"""At most so much is told of an unfinished line at once: its end, which is where a progress bar stands."""
_CHARACTER_BYTES = 4


class Part(Struct, frozen=True, gc=False):
    """The end of a line that has not ended."""

    n: int
    """Number of the line if it ended now; lines of the other stream that end before it take it away."""
    stream: StreamName
    at: datetime
    """When the engine saw the line begin, UTC."""
    text: str
    """What came since the last part, or the end of it; bytes that are not UTF-8 read as U+FFFD."""
    offset: int
    """Bytes of the line before `text`: 0 begins anew, more than was told before is a hole that the whole line fills."""
    b64: str | None = None
    """The exact bytes; only where `text` cannot hold them."""
    partial: Literal[True] = True


class Sent(NamedTuple):
    """How much of an unfinished line a reader has been told, and under which number."""

    n: int
    bytes: int


class Begun:
    """An unfinished line of one stream."""

    __slots__ = ("at", "pieces", "sent", "size")

    def __init__(self, at: datetime, size: int = 0) -> None:
        self.at = at
        self.pieces: list[bytes] = []
        self.size = size
        """Bytes so far; more than the pieces hold where its beginning was not read."""
        self.sent = Sent(0, 0)

    def add(self, piece: bytes) -> None:
        """Take what follows."""
        self.pieces.append(piece)
        self.size += len(piece)

    def whole(self) -> bytes:
        """All that was read of it."""
        return b"".join(self.pieces)

    def news(self, stream: StreamName, n: int, part_bytes: int) -> Part | None:
        """What its reader was not told; None when that is nothing, and the line's number is the same."""
        new = self.size - self.sent.bytes
        data, unsaid = _characters(self._end(min(new, part_bytes)), cut=new > part_bytes)
        update = Sent(n, self.size - unsaid)
        if update == self.sent or not update.bytes:
            return None
        self.sent = update
        return self._part(stream, n, data, update.bytes - len(data))

    def told(self, stream: StreamName, part_bytes: int) -> Part | None:
        """The end of what its readers were told, for one who comes later; None when they were told nothing."""
        known = self.sent.bytes
        if not known:
            return None
        unsaid = self.size - known
        whole = self._end(min(known, part_bytes) + unsaid)
        data, _ = _characters(whole[: len(whole) - unsaid], cut=known > part_bytes)
        return self._part(stream, self.sent.n, data, known - len(data))

    def _part(self, stream: StreamName, n: int, data: bytes, offset: int) -> Part:
        try:
            return Part(n, stream, self.at, data.decode(), offset)
        except UnicodeDecodeError:
            return Part(n, stream, self.at, data.decode(errors="replace"), offset, base64.b64encode(data).decode())

    def _end(self, size: int) -> bytes:
        """The last bytes, that many if they were read."""
        found: list[bytes] = []
        for piece in reversed(self.pieces):
            if size <= 0:
                break
            found.append(piece[-size:])
            size -= len(found[-1])
        return b"".join(reversed(found))


def _characters(data: bytes, *, cut: bool) -> tuple[bytes, int]:
    """Without half a character at its end, nor at its beginning where it was cut; and how much is left off behind."""
    if cut:
        begin = next((n for n, byte in enumerate(data[:_CHARACTER_BYTES]) if byte & 0xC0 != 0x80), 0)
        data = data[begin:]
    try:
        data.decode()
    except UnicodeDecodeError as exc:
        if exc.reason == "unexpected end of data":
            return data[: exc.start], len(data) - exc.start
    return data, 0

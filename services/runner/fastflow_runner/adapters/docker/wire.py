"""The engine's stream formats, as pure functions of the bytes that arrived."""

import re
from datetime import UTC, datetime
from struct import Struct

from fastflow_events.errors import InfrastructureError

from fastflow_runner.ports import Frame

_HEAD = Struct(">BxxxI")
FRAME_BYTES = 1 << 20
"""Engines store lines in pieces of 16 KiB, and copy 32 KiB at a time."""
_LINE_END = b"\r\n"
_SIZE_BYTES = 4096
_HEX = re.compile(rb"[0-9A-Fa-f]{1,15}")
_NEVER = datetime.fromtimestamp(0, UTC)


class Chunked:
    """Undoes HTTP's chunked transfer coding."""

    def __init__(self) -> None:
        self.ended = False
        """The last chunk was seen: the stream is complete, not cut."""
        self._held = b""
        """The beginning of a line that says how long a chunk is."""
        self._left = 0
        """Of the chunk in hand."""
        self._skipped = 0
        """Of the end of line behind it."""

    def feed(self, data: bytes) -> bytes:
        """Content that has arrived; a chunk is passed on in pieces, as long as it may be.

        Raises:
            InfrastructureError: it is not coded so.
        """
        data, self._held = self._held + data, b""
        parts, at = [], 0
        while at < len(data) and not self.ended:
            if self._left:
                parts.append(data[at : at + self._left])
                at, self._left = at + len(parts[-1]), self._left - len(parts[-1])
                self._skipped = 0 if self._left else len(_LINE_END)
            elif self._skipped:
                at, self._skipped = at + 1, self._skipped - 1
            else:
                line = data.find(_LINE_END, at, at + _SIZE_BYTES)
                if line < 0 and len(data) - at >= _SIZE_BYTES:
                    raise InfrastructureError("the container engine's answer is garbled")
                if line < 0:
                    self._held = data[at:]
                    break
                at, self._left = line + len(_LINE_END), _size(data[at:line])
                self.ended = not self._left
        return b"".join(parts)


def _size(line: bytes) -> int:
    digits = line.split(b";", 1)[0].strip()
    if not _HEX.fullmatch(digits):
        raise InfrastructureError("the container engine's answer is garbled")
    return int(digits, 16)


class Sized:
    """A body whose length was told beforehand; short answers have one."""

    def __init__(self, length: int) -> None:
        self.ended = length == 0
        """The last byte was seen: the stream is complete, not cut."""
        self._left = length

    def feed(self, data: bytes) -> bytes:
        """The data that belongs to it."""
        content = data[: self._left]
        self._left -= len(content)
        self.ended = not self._left
        return content


class Plain:
    """A body of unknown length without a transfer coding; only the connection's end ends it."""

    ended = False

    def feed(self, data: bytes) -> bytes:
        """The data."""
        return data


class Multiplexed:
    """Takes the engine's mixture of standard output and error apart."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Frames that are complete now: 1 for standard output, 2 for error, and the bytes.

        Raises:
            InfrastructureError: one is longer than any engine makes them.
        """
        held = self._held + data
        frames = []
        at = 0
        while at + _HEAD.size <= len(held):
            stream, length = _HEAD.unpack_from(held, at)
            if length > FRAME_BYTES:
                raise InfrastructureError(f"the container engine sent a frame of {length} bytes")
            end = at + _HEAD.size + length
            if end > len(held):
                break
            frames.append((stream, held[at + _HEAD.size : end]))
            at = end
        self._held = held[at:]
        return frames


def instant(text: bytes) -> datetime | None:
    """An instant in the engine's words, with up to nine digits behind the second; None for its year 1."""
    try:
        at = datetime.fromisoformat(text.decode("ascii", "replace"))
    except ValueError:
        return None
    return at if at.year > 1 and at.tzinfo is not None else None


def entry(payload: bytes) -> tuple[bytes, bytes]:
    """Time and content of a stored log entry that was asked for with its time."""
    at, _, content = payload.partition(b" ")
    return at, content


def frame(index: int, stream: int, at: bytes, data: bytes) -> Frame:
    """Output as the runner takes it."""
    return Frame(index=index, stream="stderr" if stream == 2 else "stdout", at=instant(at) or _NEVER, data=data)

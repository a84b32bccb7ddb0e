"""The engine's stream formats, as pure functions of the bytes that arrived."""

from datetime import UTC, datetime
from struct import Struct

from fastflow_runner.ports import Frame

_HEAD = Struct(">BxxxI")
_NEVER = datetime.fromtimestamp(0, UTC)


class Chunked:
    """Undoes HTTP's chunked transfer coding."""

    def __init__(self) -> None:
        self.ended = False
        """The last chunk was seen: the stream is complete, not cut."""
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Content of the chunks that are complete now."""
        held = self._held + data
        parts = []
        at = 0
        while not self.ended:
            line = held.find(b"\r\n", at)
            if line < 0:
                break
            size = int(held[at:line].split(b";", 1)[0], 16)
            end = line + 2 + size
            if size == 0:
                self.ended = True
            elif end + 2 > len(held):
                break
            else:
                parts.append(held[line + 2 : end])
                at = end + 2
        self._held = held[at:]
        return b"".join(parts)


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
        """Frames that are complete now: 1 for standard output, 2 for error, and the bytes."""
        held = self._held + data
        frames = []
        at = 0
        while at + _HEAD.size <= len(held):
            stream, length = _HEAD.unpack_from(held, at)
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

"""Two streams, read in turns: what was written first comes first, as far as two pipes can tell.

A pipe says that there is something to read, and not since when. So each is read as soon as it is readable, in the
order in which they became so; where both hold lines by then, these come alternately, a line of each. A line that was
begun is waited for, and what the other stream says meanwhile waits behind it, but only for a moment.
"""

import os
import select
import time
from typing import NamedTuple

READ_BYTES = 65_536
"""As much as a pipe holds. Who fills it is in a hurry: such a piece is passed on as it is."""
HELD_S = 0.004
"""An unbuffered interpreter writes a line and its end one after the other."""
_ALTERNATIONS = 64


class Piece:
    """Some bytes of a stream, in their place among those of both."""

    __slots__ = ("data", "stream", "until")

    def __init__(self, stream: int, data: bytes, until: float) -> None:
        self.stream = stream
        self.data = data
        self.until = until
        """When it is passed on at the latest."""

    @property
    def whole(self) -> bool:
        """Whether it ends as a line does."""
        return self.data.endswith(b"\n")


class Turns:
    """Puts what was read in order; lines are not torn apart without need."""

    def __init__(self, full_bytes: int = READ_BYTES) -> None:
        self._full_bytes = full_bytes
        self._queue: list[Piece] = []

    def take(self, read: list[tuple[int, bytes]], now: float) -> list[tuple[int, bytes]]:
        """What may be passed on, with what was read in one go: stream and bytes."""
        if not self._queue and len(read) == 1 and (len(read[0][1]) >= self._full_bytes or read[0][1].endswith(b"\n")):
            return read
        several = [(stream, self._go_on(stream, data)) for stream, data in read]
        pieces = [(stream, _pieces(data, alone=len(read) == 1)) for stream, data in several if data]
        for nth in range(max((len(some) for _, some in pieces), default=0)):
            self._queue += [Piece(stream, some[nth], now + HELD_S) for stream, some in pieces if nth < len(some)]
        hurry = any(len(data) >= self._full_bytes for _, data in read)
        count = next((n for n, piece in enumerate(self._queue) if not (hurry or piece.whole)), len(self._queue))
        return self._pass(count)

    def overdue(self, now: float) -> list[tuple[int, bytes]]:
        """What has waited long enough, and what waits behind it."""
        late = [n for n, piece in enumerate(self._queue) if not piece.whole and piece.until <= now]
        if not late:
            return []
        passed = self._pass(late[-1] + 1)
        return passed + self.take([], now)

    def rest(self) -> list[tuple[int, bytes]]:
        """Everything, whatever may follow."""
        return self._pass(len(self._queue))

    def wait_s(self, now: float) -> float | None:
        """How long nothing is overdue; None for ever."""
        return max(0.0, self._queue[0].until - now) if self._queue else None

    def _go_on(self, stream: int, data: bytes) -> bytes:
        """Complete the line that a stream has begun; what is left of `data`."""
        for piece in self._queue:
            if piece.stream == stream and not piece.whole:
                end = data.find(b"\n") + 1 or len(data)
                piece.data += data[:end]
                return data[end:]
        return data

    def _pass(self, count: int) -> list[tuple[int, bytes]]:
        passed, self._queue = self._queue[:count], self._queue[count:]
        return [(piece.stream, piece.data) for piece in passed]


def rounds(read: list[tuple[int, bytes]]) -> list[list[tuple[int, bytes]]]:
    """Cut where a stream that has spoken speaks again: what comes then was written after all it said before."""
    found: list[list[tuple[int, bytes]]] = []
    for stream, data in read:
        if not found or any(stream == spoken for spoken, _ in found[-1]):
            found.append([])
        found[-1].append((stream, data))
    return found


def _pieces(data: bytes, *, alone: bool) -> list[bytes]:
    """Whole lines, and at last one that was begun; as few pieces as the other stream's turns allow."""
    *lines, begun = data.split(b"\n")
    if alone:
        return [part for part in (data[: len(data) - len(begun)], begun) if part]
    size = -(-len(lines) // _ALTERNATIONS)
    several = [b"\n".join(lines[at : at + size]) + b"\n" for at in range(0, len(lines), size or 1)]
    return [*several, begun] if begun else several


class Read(NamedTuple):
    """What one look at all descriptors brought."""

    pieces: list[tuple[int, bytes]]
    """Stream and bytes, in order."""
    woken: bool
    """Something was written to `wakeup`."""
    told: bool
    """A signal can be read."""
    silent: bool
    """Nothing came in all the time that was given."""


class Reader:
    """Reads the pipes as they become readable."""

    def __init__(self, streams: dict[int, int], wakeup: int, signals: int | None = None) -> None:
        """`told` is where signals are read, by somebody else."""
        self._told = signals
        self.streams = streams
        """Descriptor to stream, of those still open."""
        self._wakeup = wakeup
        self._turns = Turns()
        self._again: list[tuple[int, int]] = []
        """Descriptors that may hold more without another word, and what was said of them last."""
        self._poll = select.epoll()
        self._poll.register(wakeup, select.EPOLLIN)
        if signals is not None:
            self._poll.register(signals, select.EPOLLIN)
        for fd in streams:
            os.set_blocking(fd, False)
            # Told once for each write, and so in the order of the writes.
            self._poll.register(fd, select.EPOLLIN | select.EPOLLET)

    def look(self, silence_s: float | None) -> Read:
        """Wait until something comes, or for so long."""
        held_s = 0.0 if self._again else self._turns.wait_s(time.monotonic())
        ready, self._again = [*self._poll.poll(silence_s if held_s is None else held_s), *self._again], []
        names = [fd for fd, _ in ready]
        woken = self._wakeup in names
        if woken:
            os.read(self._wakeup, 4096)
        read = self._read(ready)
        if read:
            # Who was held up meanwhile would take all that one stream says before the other. A pipe of which nobody has
            # told is not read: between a look at it and one at the other, both may be written to.
            read += self._read(self._poll.poll(0))
        now = time.monotonic()
        pieces = [piece for several in rounds(read) for piece in self._turns.take(several, now)]
        pieces += self._turns.overdue(now)
        if not self.streams:
            pieces += self._turns.rest()
        return Read(pieces, woken, self._told in names, not ready and held_s is None)

    def _read(self, ready: list[tuple[int, int]]) -> list[tuple[int, bytes]]:
        """What those hold that are said to be readable, in this order; one that has ended is closed."""
        read = []
        for fd, events in ready:
            if fd not in self.streams:
                continue
            stream = self.streams[fd]
            try:
                data = os.read(fd, READ_BYTES)
            except BlockingIOError:
                continue
            if not data:
                del self.streams[fd]
                os.close(fd)
                continue
            read.append((stream, data))
            # Less is all there was, and the next write is told of; after the last writer has gone nothing is.
            if len(data) == READ_BYTES or events & select.EPOLLHUP:
                self._again.append((fd, events))
        return read

    def close(self) -> None:
        """Nothing is read any more."""
        self._poll.close()

"""The script's output on its way out: counted, capped with head and tail kept, written in one of two forms."""

import os
import time
from collections import deque
from collections.abc import Callable

from fastflow_runner.entry.records import GAP, SPOOL_HEAD, control, encode_lines, encode_rest, of_stderr

STDOUT, STDERR = 1, 2
TAIL_BYTES = 65_536
"""Kept of the end of each stream once the cap is reached; less where the cap is small."""


class LineSink:
    """Text lines of both streams, in their order, on this process's own standard output."""

    def __init__(self) -> None:
        self._rest = {STDOUT: b"", STDERR: b""}

    def write(self, stream: int, data: bytes) -> None:
        """Write all of `data`; blocks while the reader is slow."""
        lines, self._rest[stream] = encode_lines(self._rest[stream] + data)
        self._say(stream, lines)

    def started(self, payload: bytes) -> None:
        """Say that user code is about to start; the first line of all."""
        self._say(STDOUT, control(b"s", payload))

    def ended(self, payload: bytes) -> None:
        """Say how user code ended; the last line of all, for whoever reads along."""
        self._say(STDOUT, control(b"x", payload))

    def gap(self, stream: int, missing: int) -> None:
        """Say that bytes are missing here."""
        rest, self._rest[stream] = self._rest[stream], b""
        self._say(stream, encode_rest(rest) + control(b"g", b"%d" % missing))

    def finish(self) -> None:
        """Write what is still held back."""
        for stream, rest in self._rest.items():
            self._say(stream, encode_rest(rest))

    def _say(self, stream: int, lines: bytes) -> None:
        write_all(STDOUT, lines if stream == STDOUT else of_stderr(lines))


class SpoolSink:
    """Records in a file that a reader may follow, and read again from the start."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, stream: int, data: bytes) -> None:
        """Append one record."""
        write_all(self._fd, SPOOL_HEAD.pack(stream, time.time_ns(), len(data)) + data)

    def gap(self, stream: int, missing: int) -> None:
        """Append a record that says so."""
        self.write(stream | GAP, b"%d" % missing)

    def started(self, payload: bytes) -> None:
        """Nothing: readers of the file see the marker beside it."""

    def ended(self, payload: bytes) -> None:
        """Nothing, as for the start."""

    def finish(self) -> None:
        """Make the file durable."""
        os.fsync(self._fd)
        os.close(self._fd)


class Tail:
    """The last bytes of a stream, in the pieces in which they came, each with its place among those of both streams."""

    def __init__(self, limit: int) -> None:
        self.lost = 0
        self.pieces: deque[tuple[int, bytes]] = deque()
        self._limit = limit
        self._size = 0

    def add(self, place: int, data: bytes) -> None:
        """Take a piece; what is too old for it goes."""
        self.pieces.append((place, data))
        self._size += len(data)
        if self._size > self._limit:
            self._drop(self._size - self._limit)

    def begin_with_a_line(self) -> None:
        """Give up the rest of a line whose beginning is lost, unless that were half of everything."""
        if not self.lost:
            return
        size = 0
        for _, data in self.pieces:
            if end := data.find(b"\n") + 1:
                if size + end <= self._limit // 2:
                    self._drop(size + end)
                return
            size += len(data)

    def _drop(self, count: int) -> None:
        self.lost += count
        self._size -= count
        while count:
            place, data = self.pieces.popleft()
            if len(data) > count:
                self.pieces.appendleft((place, data[count:]))
            count -= min(len(data), count)


class Output:
    """Both streams under one cap: the head passes at once, of the rest the tails are kept and written at the end."""

    def __init__(self, sink: LineSink | SpoolSink, cap: int) -> None:
        self.bytes = 0
        """Written by the script, dropped ones included."""
        self.sent = 0
        """Handed on; who reads finds no less, unless the engine lost some."""
        self.lines = 0
        self.dropped = 0
        self._sink = sink
        tail_bytes = min(TAIL_BYTES, cap // 4)
        self._head = cap - 2 * tail_bytes
        self._tail = {STDOUT: Tail(tail_bytes), STDERR: Tail(tail_bytes)}
        self._place = 0
        self._broken = False

    def feed(self, stream: int, data: bytes) -> None:
        """Take what the script wrote."""
        self.bytes += len(data)
        self.lines += data.count(b"\n")
        passing, data = data[: self._head], data[self._head :]
        self._head -= len(passing)
        if passing:
            self._write(stream, passing)
        if data:
            self._place += 1
            self._tail[stream].add(self._place, data)

    def finish(self) -> None:
        """Write the tails in the order in which they came, behind a word on what is missing before them."""
        for stream, tail in self._tail.items():
            tail.begin_with_a_line()
            self.dropped += tail.lost
            if tail.lost and not self._broken:
                self._broken = not _done(self._sink.gap, stream, tail.lost)
        pieces = [(place, stream, data) for stream, tail in self._tail.items() for place, data in tail.pieces]
        for _, stream, data in sorted(pieces):
            self._write(stream, data)
        self._broken = not _done(self._sink.finish) or self._broken

    def _write(self, stream: int, data: bytes) -> None:
        # A reader that is gone or a full disk must not end the script; what is not carried is counted.
        if not self._broken and _done(self._sink.write, stream, data):
            self.sent += len(data)
        else:
            self._broken = True
            self.dropped += len(data)


def _done(call: Callable[..., None], *arguments: object) -> bool:
    """False when the world does not let it."""
    try:
        call(*arguments)
    except OSError:
        return False
    return True


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, waiting for the reader."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]

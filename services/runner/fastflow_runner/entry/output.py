"""The script's output on its way out: counted, capped with head and tail kept, written in one of two forms."""

import os
import time

from fastflow_runner.entry.records import SPOOL_HEAD, control, encode_lines, encode_rest

STDOUT, STDERR = 1, 2
TAIL_BYTES = 65_536
"""Kept of the end of each stream once the cap is reached; less where the cap is small."""


class LineSink:
    """Text lines on this process's own standard output and error."""

    def __init__(self) -> None:
        self._rest = {STDOUT: b"", STDERR: b""}

    def write(self, stream: int, data: bytes) -> None:
        """Write all of `data`; blocks while the reader is slow."""
        lines, self._rest[stream] = encode_lines(self._rest[stream] + data)
        write_all(stream, lines)

    def started(self, payload: bytes) -> None:
        """Say that user code is about to start; the first line of all."""
        write_all(STDOUT, control(b"s", payload))

    def ended(self, payload: bytes) -> None:
        """Say how user code ended; the last line of all, for whoever reads along."""
        write_all(STDOUT, control(b"x", payload))

    def finish(self) -> None:
        """Write what is still held back."""
        for stream, rest in self._rest.items():
            write_all(stream, encode_rest(rest))


class SpoolSink:
    """Records in a file that a reader may follow, and read again from the start."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, stream: int, data: bytes) -> None:
        """Append one record."""
        write_all(self._fd, SPOOL_HEAD.pack(stream, time.time_ns(), len(data)) + data)

    def started(self, payload: bytes) -> None:
        """Nothing: readers of the file see the marker beside it."""

    def ended(self, payload: bytes) -> None:
        """Nothing, as for the start."""

    def finish(self) -> None:
        """Make the file durable."""
        os.fsync(self._fd)
        os.close(self._fd)


class Output:
    """Both streams under one cap: the head passes at once, of the rest the tails are kept and written at the end."""

    def __init__(self, sink: LineSink | SpoolSink, cap: int) -> None:
        self.bytes = 0
        """Written by the script, dropped ones included."""
        self.lines = 0
        self.dropped = 0
        self._sink = sink
        self._tail_bytes = min(TAIL_BYTES, cap // 4)
        self._head = cap - 2 * self._tail_bytes
        self._tail = {STDOUT: bytearray(), STDERR: bytearray()}
        self._lost = {STDOUT: 0, STDERR: 0}
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
            tail = self._tail[stream]
            tail += data
            # Trimmed in large steps: a step moves the whole tail.
            if len(tail) > 4 * self._tail_bytes:
                self._trim(stream)

    def finish(self) -> None:
        """Write the tails, each behind a line that says how much is missing before it."""
        for stream, tail in self._tail.items():
            self._trim(stream)
            if self._lost[stream]:
                self._write(stream, b"\n[fastflow: %d bytes of output dropped here]\n" % self._lost[stream])
            if tail:
                self._write(stream, bytes(tail))
        try:
            self._sink.finish()
        except OSError:
            self._broken = True

    def _trim(self, stream: int) -> None:
        tail = self._tail[stream]
        excess = len(tail) - self._tail_bytes
        if excess > 0:
            del tail[:excess]
            self._lost[stream] += excess
            self.dropped += excess

    def _write(self, stream: int, data: bytes) -> None:
        # A reader that is gone or a full disk must not end the script; what is not carried is counted.
        try:
            if not self._broken:
                self._sink.write(stream, data)
                return
        except OSError:
            self._broken = True
        self.dropped += len(data)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, waiting for the reader."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]

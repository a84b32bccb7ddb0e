"""What `FASTFLOW_OUTPUT` and `FASTFLOW_SAMPLES` hold: MessagePack, not facts."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from fastflow_events.errors import ContractError

StreamName: TypeAlias = Literal["stdout", "stderr"]
MAX_LINE_BYTES = 4 << 20
"""A line that is longer is cut behind the frame in which it gets there, so that nobody has to hold all of it."""


class OutFrame(Struct, frozen=True, array_like=True, gc=False):
    """One piece of output, byte-exact, as the engine stored it."""

    stream: StreamName
    at: datetime
    data: bytes


class Chunk(Struct, frozen=True, kw_only=True):
    """Some frames of one attempt, stored together."""

    first: int
    """Index of the first frame among all frames of the attempt, counting from 0."""
    frames: tuple[OutFrame, ...]
    last: bool = False
    """True for the chunk that closes the attempt's output; it may be empty."""
    gap_bytes: int = 0
    """Bytes known to be missing before this chunk."""
    gap_stream: StreamName | None = None
    """Stream they are missing from; None for both."""
    line: int | None = None
    """Lines of the attempt that were complete before this chunk; None in chunks of older releases."""
    open: tuple[tuple[StreamName, int, int], ...] = ()
    """Unfinished lines before this chunk, what began first first: stream, frame it began in, bytes so far."""

    @property
    def next(self) -> int:
        """Index of the first frame after this chunk."""
        return self.first + len(self.frames)


class Sample(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an attempt uses at one moment; None where nobody knows."""

    at: datetime
    cpus: float
    """Processors in use since the sample before."""
    memory_bytes: int
    """Working set: without what the system only keeps because there is room, such as the page cache."""
    received_bytes: int | None = None
    """Over the network, since the attempt began; so are the following."""
    sent_bytes: int | None = None
    read_bytes: int | None = None
    """From disks."""
    written_bytes: int | None = None


class LineCounter:
    """Counts lines exactly as readers number them: both streams together, each line when it is complete."""

    def __init__(self, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self.complete = 0
        """Lines that nothing is added to any more."""
        self._open: dict[StreamName, tuple[int, int]] = {}

    @property
    def lines(self) -> int:
        """Lines if nothing followed: one without its newline is a line."""
        return self.complete + len(self._open)

    @property
    def open(self) -> tuple[tuple[StreamName, int, int], ...]:
        """Unfinished lines: stream, frame it began in, bytes so far."""
        return tuple((stream, began, size) for stream, (began, size) in self._open.items()) if self._open else ()

    def add(self, index: int, frame: OutFrame) -> None:
        """Count the attempt's frame number `index`."""
        stream, data = frame.stream, frame.data
        size = len(data)
        ended = data.find(b"\n") + 1
        if ended and ended == size and stream not in self._open:  # the usual case: one line
            self.complete += 1
            return
        if ended:
            self.complete += data.count(b"\n")
            self._open.pop(stream, None)
            began, size = index, size - data.rfind(b"\n") - 1
        else:
            began, before = self._open.get(stream, (index, 0))
            size += before
        if size >= self._max_line_bytes:
            self._open.pop(stream, None)
            self.complete += 1
        elif size:
            self._open[stream] = (began, size)

    def gap(self, stream: StreamName | None) -> None:
        """Output is missing here, so nothing will complete what was begun."""
        for name in (stream,) if stream else tuple(self._open):
            if self._open.pop(name, None):
                self.complete += 1


_DECODER = msgspec.msgpack.Decoder(Chunk)
_ENCODER = msgspec.msgpack.Encoder()


def encode_chunk(chunk: Chunk) -> bytes:
    """Return the stored form of a chunk."""
    return _ENCODER.encode(chunk)


def decode_chunk(data: bytes) -> Chunk:
    """Read a stored chunk.

    Raises:
        ContractError: these bytes are no chunk.
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as exc:
        raise ContractError(f"not an output chunk: {exc}") from exc


_SAMPLE_DECODER = msgspec.msgpack.Decoder(Sample)


def encode_sample(sample: Sample) -> bytes:
    """Return the stored form of a sample."""
    return _ENCODER.encode(sample)


def decode_sample(data: bytes) -> Sample:
    """Read a stored sample.

    Raises:
        ContractError: these bytes are no sample.
    """
    try:
        return _SAMPLE_DECODER.decode(data)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as exc:
        raise ContractError(f"not a sample: {exc}") from exc

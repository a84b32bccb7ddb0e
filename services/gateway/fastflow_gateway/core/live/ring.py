"""The newest of what a stream tells, for everybody who follows it: bounded, in batches, each shown once."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from fastflow_gateway.core.live.frames import Frame, Place, behind

MAX_FRAMES = 2000
MAX_BYTES = 1 << 20
BATCHES = 4
"""A ring that is full has at least so many, so that what falls out at once is little of it."""
T = TypeVar("T")


class Batch:
    """What is told at once."""

    __slots__ = ("_shown", "first", "frames", "last", "size")

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.frames = tuple(frames)
        places = [frame.place for frame in self.frames if frame.place is not None]
        self.first = places[0] if places else None
        self.last = places[-1] if places else None
        self.size = sum(frame.size for frame in self.frames)
        self._shown: dict[Callable[[Sequence[Frame]], Any], Any] = {}

    def shown(self, how: Callable[[Sequence[Frame]], T]) -> T:
        """What `how` makes of it, made once for everybody who sees all of it in this way."""
        if how not in self._shown:
            self._shown[how] = how(self.frames)
        shown: T = self._shown[how]
        return shown


class Ring:
    """The newest batches. What has been told in all of them since is complete behind `floor`."""

    def __init__(self, floor: Place, *, max_frames: int = MAX_FRAMES, max_bytes: int = MAX_BYTES) -> None:
        self.floor = floor
        """Everything behind this place is here."""
        self.newest = floor
        """Place of the newest frame."""
        self.first = 0
        """Number of the oldest batch that is here."""
        self.frames = 0
        self.bytes = 0
        self._max_frames, self._max_bytes = max_frames, max_bytes
        self._batches: deque[Batch] = deque()

    @property
    def next(self) -> int:
        """Number of the batch that comes next."""
        return self.first + len(self._batches)

    def cut(self, frames: Sequence[Frame]) -> Iterator[Sequence[Frame]]:
        """Into pieces that are small beside the ring; only a frame that is larger than that is a piece of its own."""
        piece: list[Frame] = []
        size = 0
        for frame in frames:
            full = len(piece) >= self._max_frames // BATCHES or size + frame.size > self._max_bytes // BATCHES
            if piece and full:
                yield piece
                piece, size = [], 0
            piece.append(frame)
            size += frame.size
        if piece:
            yield piece

    def add(self, frames: Sequence[Frame]) -> None:
        """Take a batch, and let go of the oldest ones for it; the newest one always stays."""
        batch = Batch(frames)
        self._batches.append(batch)
        self.frames += len(batch.frames)
        self.bytes += batch.size
        self.newest = batch.last or self.newest
        while len(self._batches) > 1 and (self.frames > self._max_frames or self.bytes > self._max_bytes):
            oldest = self._batches.popleft()
            self.first += 1
            self.frames -= len(oldest.frames)
            self.bytes -= oldest.size
            self.floor = oldest.last or self.floor

    def since(self, number: int) -> list[Batch]:
        """The batches from a number on."""
        skipped = max(0, number - self.first)
        return [batch for index, batch in enumerate(self._batches) if index >= skipped]

    def behind(self, place: Place) -> list[Frame]:
        """Everything that has a place behind this one, which is not before the floor."""
        placed = [frame for batch in self._batches for frame in batch.frames if frame.place is not None]
        return behind(placed, place)

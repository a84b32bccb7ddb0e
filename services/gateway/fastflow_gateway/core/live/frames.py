"""What readers are told, encoded once for all of them."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

Place: TypeAlias = tuple[int, ...]
"""Where something is among what its stream tells; places only grow."""


class Frame(NamedTuple):
    """One thing that is told."""

    place: Place | None
    """None for what is provisional, or told only to those who are there."""
    event: str
    data: bytes
    """JSON."""
    about: tuple[str, ...] = ()
    """What a reader may ask it to be about, outside of the bytes."""

    @property
    def size(self) -> int:
        """About so many bytes of memory."""
        return len(self.data) + 100


def behind(frames: Sequence[Frame], place: Place) -> list[Frame]:
    """What somebody who has seen everything up to `place` has not; what is provisional is left in."""
    return [frame for frame in frames if frame.place is None or frame.place > place]


def events_of(frames: Sequence[Frame]) -> bytes:
    """Server-sent events, one for each frame; the id is its place."""
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event.encode(), data)
        if place is None
        else b"id: %s\nevent: %s\ndata: %s\n\n" % (id_of(place), event.encode(), data)
        for place, event, data, _ in frames
    )


def id_of(place: Place) -> bytes:
    """`7` is the seventh fact, `2.10` line 10 of the second attempt, `2.10.1` the first gap behind it."""
    numbers = place[:2] if len(place) > 2 and not place[2] else place
    return b".".join(b"%d" % number for number in numbers)

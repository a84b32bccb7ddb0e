"""What a tail follows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from fastflow_gateway.core.live.frames import Frame, Place


class Source(Protocol):
    """A stream of frames whose places only grow."""

    async def begin(self) -> Place:
        """Find where to begin: everything behind this place will come."""

    def news(self, bell: asyncio.Event) -> AsyncIterator[Sequence[Frame]]:
        """Yield what is new since the beginning, paced; ends when nothing will ever come.

        What was yielded has been taken by those who keep up before more is asked for. Sources that wait for bells
        have `bell` rung.
        """

    def unfinished(self) -> Sequence[Frame]:
        """What those who follow know, and the ring has no place for."""

    def stored(self, after: Place) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        """Yield what is stored behind a place, in pages, each with the place that it reaches, then end."""

    async def holds(self, place: Place) -> bool:
        """Whether whoever has seen everything up to this place, which the ring does not know, misses nothing."""

    def anew(self, newest: Place) -> Place:
        """Where to go on whose place is none."""

"""One who follows: a place in a tail, alone while he is far behind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol, TypeAlias, TypeVar

from fastflow_events.errors import InfrastructureError

from fastflow_gateway.core.live.frames import Frame, Place, behind
from fastflow_gateway.core.live.ring import Ring
from fastflow_gateway.tails.source import Source

RESET = Frame(None, "reset", b"{}")
"""The place is none of ours, or not any more: what was read so far is to be read again."""
T = TypeVar("T")
Stored: TypeAlias = Callable[[Place], AsyncIterator[tuple[Sequence[Frame], Place]]]
"""As `Source.stored`."""


class Followed(Protocol):
    """What a reader sees of its tail."""

    source: Source
    slots: asyncio.Semaphore
    ring: Ring | None
    over: bool
    failure: InfrastructureError | None

    def took(self, reader: "Reader") -> None:
        """It has everything that there is."""


class Reader:
    """Knows what it has told whom it reads for; `wake` is called when there may be more."""

    def __init__(self, tail: Followed, place: Place, wake: Callable[[], None], *, stored: Stored | None = None) -> None:
        self._tail = tail
        self.place = place
        """Everything up to here was taken."""
        self.wake = wake
        self._next: int | None = None
        self._stored = stored or tail.source.stored
        self._checked = False

    @property
    def is_behind(self) -> bool:
        """True while it has to catch up alone."""
        ring = self._tail.ring
        if ring is None:
            return False
        return self._next is None or self._next < ring.first

    @property
    def has_everything(self) -> bool:
        """True when it has taken all that was told."""
        ring = self._tail.ring
        return ring is not None and self._next == ring.next

    @property
    def is_at_end(self) -> bool:
        """True when nothing will ever come.

        Raises:
            InfrastructureError: the tail has failed.
        """
        if self._tail.failure is not None:
            raise InfrastructureError(str(self._tail.failure)) from self._tail.failure
        return self._tail.over and self.has_everything

    def join_at_floor(self) -> None:
        """Be told everything from the beginning of the ring, if that is not too late."""
        ring = self._tail.ring
        if ring is not None and ring.floor <= self.place <= ring.newest:
            self._next, self._checked = ring.first, True

    def take(self, how: Callable[[Sequence[Frame]], T], *, shared: bool = True) -> list[T]:
        """What was told since, each batch as `how` shows it; `shared` is what is shown alike to others."""
        ring = self._tail.ring
        if ring is None or self._next is None or self._next >= ring.next:
            return []
        found = []
        for batch in ring.since(self._next):
            if batch.first is None or batch.first > self.place:
                found.append(batch.shown(how) if shared else how(batch.frames))
            elif left := behind(batch.frames, self.place):
                found.append(how(left))
            self.place = max(self.place, batch.last or self.place)
        self._next = ring.next
        self._tail.took(self)
        return found

    async def catch_up(self) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        """What was told before the ring, in pages with the places that they reach; at the end `take` has the rest."""
        ring, source = self._tail.ring, self._tail.source
        assert ring is not None
        known = self._checked or ring.floor <= self.place <= ring.newest
        if not known and not await source.holds(self.place):
            self.place = source.anew(ring.newest)
            yield [RESET], self.place
        self._checked = True
        while self.place < ring.floor:
            before, pages = self.place, self._stored(self.place)
            while self.place < ring.floor:
                async with self._tail.slots:
                    page = await anext(pages, None)
                if page is None:
                    break
                frames, reached = page
                self.place = max(self.place, reached)
                if frames:
                    yield frames, self.place
            if self.place == before:  # what the ring has let go is not stored any more
                self.place = max(self.place, ring.floor)
        rest = [*ring.behind(self.place), *source.unfinished()]
        self.place, self._next = max(self.place, ring.newest), ring.next
        self._tail.took(self)
        if rest:
            yield rest, self.place

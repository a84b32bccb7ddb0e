"""All tails: made by the first reader, let go a while after the last."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager

from fastflow_events.service.tasks import ended
from fastflow_events.types import Seconds

from fastflow_gateway.core.live.frames import Place
from fastflow_gateway.tails.reader import Reader, Stored
from fastflow_gateway.tails.source import Source
from fastflow_gateway.tails.tail import Tail

LINGER_S = 30.0
ALONE = 8
"""So many readers catch up alone at a time, each for one page."""


class Tails:
    """The tails that somebody reads, or read a moment ago."""

    def __init__(self, *, linger_s: Seconds = LINGER_S, alone: int = ALONE) -> None:
        self._linger_s = linger_s
        self._slots = asyncio.Semaphore(alone)
        self._tails: dict[Hashable, Tail] = {}
        self._tasks: dict[Tail, asyncio.Task[None]] = {}
        self._ends: dict[Hashable, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._tails)

    @contextmanager
    def reading(
        self,
        of: Hashable,
        make: Callable[[], Source],
        place: Place,
        wake: Callable[[], None],
        *,
        stored: Stored | None = None,
    ) -> Iterator[Reader]:
        """Read what `make` follows behind a place; `of` names it, and all who name it read it together.

        `stored` is what this reader catches up with, if it wants less than there is.
        """
        tail = self._tails.get(of)
        if tail is None or tail.failure is not None:
            tail = self._tails[of] = Tail(make(), self._slots)
            self._tasks[tail] = task = asyncio.create_task(tail.run(), name="tail")
            task.add_done_callback(lambda _: self._tasks.pop(tail, None))
        if (handle := self._ends.pop(of, None)) is not None:
            handle.cancel()
        reader = Reader(tail, place, wake, stored=stored)
        tail.add(reader)
        try:
            yield reader
        finally:
            tail.remove(reader)
            if not tail.readers and self._tails.get(of) is tail:
                self._ends[of] = asyncio.get_running_loop().call_later(self._linger_s, self._drop, of, tail)

    def _drop(self, of: Hashable, tail: Tail) -> None:
        del self._ends[of], self._tails[of]
        if (task := self._tasks.get(tail)) is not None:
            task.cancel()

    async def close(self) -> None:
        """Let go of all of them."""
        for handle in self._ends.values():
            handle.cancel()
        self._ends.clear()
        self._tails.clear()
        await ended(list(self._tasks.values()))


@asynccontextmanager
async def open_tails() -> AsyncIterator[Tails]:
    """None of them is left when the block ends."""
    tails = Tails()
    try:
        yield tails
    finally:
        await tails.close()

"""One look for everybody who wants the same at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Shared:
    """Never more than one look is under way, however many want one; whoever is cancelled takes it from nobody."""

    def __init__(self) -> None:
        self._running: asyncio.Future[Any] | None = None
        self._next: asyncio.Future[Any] | None = None

    async def join(self, look: Callable[[], Awaitable[T]]) -> T:
        """What the look that is under way sees, which may have begun a moment ago; else a new one."""
        if self._running is None:
            return await self.fresh(look)
        found: T = await asyncio.shield(self._running)
        return found

    async def fresh(self, look: Callable[[], Awaitable[T]]) -> T:
        """What a look sees that begins now, or when the one that is under way has ended."""
        if self._running is None:
            coming = self._running = _begun(self._look(look))
        else:
            coming = self._next = self._next or _begun(self._after(self._running, look))
        found: T = await asyncio.shield(coming)
        return found

    async def _after(self, before: "asyncio.Future[Any]", look: Callable[[], Awaitable[T]]) -> T:
        await asyncio.wait({before})
        self._running, self._next = self._next, None
        return await self._look(look)

    async def _look(self, look: Callable[[], Awaitable[T]]) -> T:
        try:
            return await look()
        finally:
            if self._next is None:
                self._running = None


def _begun(look: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
    task = asyncio.ensure_future(look)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be left who hears of it
    return task

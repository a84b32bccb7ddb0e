"""Doing the same with many things, several at once."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from fastflow_events.service.tasks import ended

T = TypeVar("T")


async def for_each(items: Collection[T], do: Callable[[T], Awaitable[object]], *, at_once: int) -> None:
    """Do it with every item, `at_once` of them at a time, begun in order; the first failure ends all of it."""
    if len(items) <= 1:  # the usual case of loops that decide: no task for it
        for item in items:
            await do(item)
        return
    todo = iter(items)

    async def some() -> None:
        for item in todo:
            await do(item)

    workers = [asyncio.create_task(some()) for _ in range(min(at_once, len(items)))]
    try:
        await asyncio.gather(*workers)
    finally:
        await ended(workers)

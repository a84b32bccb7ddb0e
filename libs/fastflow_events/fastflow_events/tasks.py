"""Background work that is never forgotten."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any


@asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` while the block runs; cancel and await it at the end.

    Work that fails cancels the block and its error leaves it, so a service never lives on half dead.
    """
    owner = asyncio.current_task()
    assert owner is not None
    failed: list[BaseException] = []

    def on_done(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            failed.append(error)
            owner.cancel()

    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    for task in tasks:
        task.add_done_callback(on_done)
    try:
        yield
    except asyncio.CancelledError:
        if failed:
            owner.uncancel()
            raise failed[0] from None
        raise
    finally:
        for task in tasks:
            task.remove_done_callback(on_done)
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task

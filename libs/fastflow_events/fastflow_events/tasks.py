"""Background work that is never forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


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


async def heard(answer: Awaitable[T]) -> T:
    """Await somebody else's code, and be cancelled when told so meanwhile.

    `asyncio.wait_for` before Python 3.12 forgets a cancellation that comes together with the result; a loop around
    it then never ends. What is done while a cancellation is already under way is left alone.

    Raises:
        CancelledError: the task was told to end.
    """
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    result = await answer
    if task.cancelling() > before:
        raise asyncio.CancelledError
    return result

"""Background work that is never forgotten."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)

CANCEL_AGAIN_S = 5.0
"""A cancellation that somebody swallows is repeated so often; who heard it has so long to close what it has open."""
CLOSES_WITHIN_S = 10.0
"""The same for work whose block is left: longer than any of it takes to close."""
_TURNED: ContextVar[Callable[[], None] | None] = ContextVar("fastflow_turned", default=None)


def turned() -> None:
    """Say that the loop in hand has gone round once, so that its service may be called ready."""
    if (say := _TURNED.get()) is not None:
        say()


class Work:
    """The loops of a service, and which of them have gone round."""

    def __init__(self, *, cancel_again_s: float = CANCEL_AGAIN_S, closes_within_s: float = CLOSES_WITHIN_S) -> None:
        self.cancel_again_s, self.closes_within_s = cancel_again_s, closes_within_s
        self._waited_for: dict[str, None] = {}
        self._failed = ""

    def expect(self, name: str) -> Callable[[], None]:
        """A loop is about to begin; returns what it says when it has gone round."""
        self._waited_for[name] = None
        return lambda: self._waited_for.pop(name, None)

    def failed(self, name: str, error: BaseException) -> None:
        """A loop has ended, and the service is about to."""
        self._failed = f"{name} failed: {type(error).__name__}"

    async def ping(self) -> str | None:
        """None once every loop has gone round and as long as none has failed."""
        if self._failed:
            return self._failed
        return f"not yet round: {', '.join(self._waited_for)}" if self._waited_for else None


@asynccontextmanager
async def background(
    *work: Coroutine[Any, Any, None], of: Work | None = None, **loops: Coroutine[Any, Any, None]
) -> AsyncIterator[None]:
    """Run `work` while the block runs; cancel and await it at the end. The `loops` of a service go by their names.

    Work that fails is logged, cancels the block, again and again until it hears, and its error leaves it, so a service
    never lives on half dead.
    """
    owner = asyncio.current_task()
    assert owner is not None
    failed: list[BaseException] = []
    pending_cancels: list[asyncio.TimerHandle] = []
    cancels = 0
    loop, whole = asyncio.get_running_loop(), of or Work()

    def cancel_again() -> None:
        # Who connects or waits may take a cancellation for its own and go on; the service must not.
        nonlocal cancels
        cancels += 1
        owner.cancel()
        pending_cancels[:] = [loop.call_later(whole.cancel_again_s, cancel_again)]

    def on_done(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error(
                "%s failed", task.get_name(), exc_info=error, extra={"action": "work_failed", "work": task.get_name()}
            )
            whole.failed(task.get_name(), error)
            failed.append(error)
            if not pending_cancels:
                cancel_again()

    tasks = [asyncio.create_task(coroutine, name=getattr(coroutine, "__qualname__", "work")) for coroutine in work]
    tasks += [asyncio.create_task(_loop(whole.expect(name), each), name=name) for name, each in loops.items()]
    for task in tasks:
        task.add_done_callback(on_done)
    try:
        yield
        if failed:
            raise failed[0]
    except asyncio.CancelledError:
        if failed:
            for _ in range(cancels):
                owner.uncancel()
            raise failed[0] from None
        raise
    finally:
        for handle in pending_cancels:
            handle.cancel()
        for task in tasks:
            task.remove_done_callback(on_done)
        await ended(tasks, closes_within_s=whole.closes_within_s)


async def ended(tasks: Sequence[asyncio.Task[None]], *, closes_within_s: float = CLOSES_WITHIN_S) -> None:
    """Cancel them, again and again until each has heard: who connects just then may take it for its own and go on.

    Raises:
        CancelledError: whoever waits here was told to end meanwhile.
    """
    left, cancelled = set(tasks), None
    while left:
        for task in left:
            task.cancel()
        try:
            _, left = await asyncio.wait(left, timeout=closes_within_s)
        except asyncio.CancelledError as exc:
            cancelled = exc
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen, so that nobody reports it as forgotten
    if cancelled is not None:
        raise cancelled


async def _loop(say: Callable[[], None], work: Coroutine[Any, Any, None]) -> None:
    _TURNED.set(say)
    await work
    say()


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

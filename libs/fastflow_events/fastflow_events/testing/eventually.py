"""Wait for something to become true, with a deadline, without guessing how long it takes."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

EVERY_S = 0.02


async def eventually(probe: Callable[[], Awaitable[T] | T], *, within_s: float = 20.0) -> T:
    """Return the first truthy answer of `probe`.

    An `AssertionError` counts as "not yet".

    Raises:
        AssertionError: it stayed false until the deadline; the last failure is its cause.
    """
    deadline = time.monotonic() + within_s
    failure: AssertionError | None = None
    while True:
        try:
            answer = probe()
            value = await answer if inspect.isawaitable(answer) else answer
            if value:
                return value
        except AssertionError as exc:
            failure = exc
        if time.monotonic() > deadline:
            raise AssertionError(f"still not true after {within_s} s: {probe}") from failure
        await asyncio.sleep(EVERY_S)

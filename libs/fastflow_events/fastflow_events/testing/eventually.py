"""Wait for something to become true, with a deadline, without guessing how long it takes."""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")

NOT_YET = (AssertionError, LookupError, ValueError)
"""What a probe meets that compares, picks or unpacks what has not come yet."""
EVERY_S = 0.02


@overload
async def eventually(probe: Callable[[], Coroutine[Any, Any, T]], *, within_s: float = 20.0) -> T: ...
@overload
async def eventually(probe: Callable[[], T], *, within_s: float = 20.0) -> T: ...
async def eventually(probe: Callable[[], Any], *, within_s: float = 20.0) -> Any:
    """Return the first truthy answer of `probe`.

    An `AssertionError`, a `LookupError` and a `ValueError` count as "not yet".

    Raises:
        AssertionError: it stayed false until the deadline; the last failure is its cause.
    """
    deadline = time.monotonic() + within_s
    failure: Exception | None = None
    while True:
        try:
            answer = probe()
            value = await answer if inspect.isawaitable(answer) else answer
            if value:
                return value
        except NOT_YET as exc:
            failure = exc
        if time.monotonic() > deadline:
            raise AssertionError(f"still not true after {within_s} s: {probe}") from failure
        await asyncio.sleep(EVERY_S)

"""Ctrl-C, SIGTERM and a closed terminal end the work in order; a second one ends it at once."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def until_signal(work: Coroutine[Any, Any, int], *, interrupted: int) -> int:
    """Await `work`; a signal cancels it, and then the answer is `interrupted`."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    for number in SIGNALS:
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
        return interrupted
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)

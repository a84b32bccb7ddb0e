"""Waiting for an event, but not for ever."""

import asyncio
from contextlib import suppress


async def is_set_within(event: asyncio.Event, within_s: float | None) -> bool:
    """Return as soon as the event is set, or when the time is over; whether it is set. None is no limit.

    Not `asyncio.wait_for`: before Python 3.12 it forgets a cancellation that comes together with the event.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
    return event.is_set()

import asyncio

import pytest
from fastflow_events.service.waiting import is_set_within


async def test_who_waits_returns_when_the_event_comes() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)
    assert await is_set_within(event, None)


async def test_who_waits_in_vain_returns_when_the_time_is_over() -> None:
    assert not await is_set_within(asyncio.Event(), 0)


async def test_an_event_that_is_there_is_seen_even_without_time() -> None:
    event = asyncio.Event()
    event.set()
    assert await is_set_within(event, 0)


async def test_a_cancellation_that_comes_together_with_the_event_is_heard() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(is_set_within(event, 60))
    await asyncio.sleep(0)
    event.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

"""A task that is told to end ends, also when somebody else's code forgets to pass it on."""

import asyncio

import pytest
from fastflow_events.service.tasks import heard


async def forgetful(answer: asyncio.Future[str]) -> str:
    """What `wait_for` of Python 3.11 does when the result and the cancellation come together."""
    try:
        return await asyncio.shield(answer)
    except asyncio.CancelledError:
        return "an answer"


async def test_a_cancellation_that_was_forgotten_on_the_way_is_heard() -> None:
    task = asyncio.create_task(heard(forgetful(asyncio.get_running_loop().create_future())))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_is_done_on_the_way_out_gets_its_answers() -> None:
    answers = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            answers.append(await heard(asyncio.sleep(0, "the last word")))

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert answers == ["the last word"]

import asyncio

import pytest
from fastflow_events.service.for_each import for_each


class Work:
    """Remembers what is done, how much at once, and what was cut off; ends one by one when told to."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at = fails_at
        self.begun: list[int] = []
        self.now = self.most = self.cut_off = 0

    async def do(self, item: int) -> None:
        self.begun.append(item)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            if item == self.fails_at:
                raise LookupError(item)
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cut_off += 1
            raise
        finally:
            self.now -= 1


@pytest.mark.parametrize("items", [[], [1], [*range(20)]])
async def test_it_is_done_with_every_item_once_and_with_no_more_at_once_than_allowed(items: list[int]) -> None:
    work = Work()
    await for_each(items, work.do, at_once=4)
    assert work.begun == items
    assert work.most == min(4, len(items))


async def test_the_first_failure_ends_all_of_it_and_is_what_is_raised() -> None:
    work = Work(fails_at=1)
    with pytest.raises(LookupError):
        await for_each([*range(20)], work.do, at_once=4)
    assert work.now == 0
    assert len(work.begun) < 20


async def test_nothing_goes_on_after_a_cancellation() -> None:
    begun, done = asyncio.Event(), []

    async def do(item: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            done.append(item)

    working = asyncio.create_task(for_each([*range(20)], do, at_once=3))
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert len(done) <= 3

"""Looks that many share: never two at once, and nobody is shown what was there before he asked."""

import asyncio

import pytest
from fastflow_events.errors import InfrastructureError
from fastflow_gateway.shared import Shared


class Looks:
    """Looks that end when they are told to, each with its number."""

    def __init__(self) -> None:
        self.begun = asyncio.Queue[int]()
        self.may_end = asyncio.Semaphore(0)
        self._number = 0
        self._under_way = 0

    async def __call__(self) -> int:
        self._number += 1
        number = self._number
        self._under_way += 1
        assert self._under_way == 1
        self.begun.put_nowait(number)
        try:
            await self.may_end.acquire()
        finally:
            self._under_way -= 1
        return number


async def all_of(looks: Looks, *waiting: "asyncio.Future[int]") -> list[int]:
    for _ in waiting:
        looks.may_end.release()
    return await asyncio.gather(*waiting)


async def test_twenty_who_do_not_mind_a_moment_share_one_look() -> None:
    shared, looks = Shared(), Looks()
    waiting = [asyncio.ensure_future(shared.join(looks)) for _ in range(20)]
    await asyncio.sleep(0)
    assert await all_of(looks, *waiting) == [1] * 20


async def test_whoever_wants_to_see_now_shares_the_next_look_with_all_the_others() -> None:
    shared, looks = Shared(), Looks()
    first = asyncio.ensure_future(shared.fresh(looks))
    await asyncio.sleep(0)
    later = [asyncio.ensure_future(shared.fresh(looks)) for _ in range(20)]
    await asyncio.sleep(0)
    assert await all_of(looks, first, *later) == [1] + [2] * 20
    assert await shared.join(looks) == 3


async def test_who_comes_while_the_next_one_is_under_way_gets_one_after_that() -> None:
    shared, looks = Shared(), Looks()
    first = asyncio.ensure_future(shared.fresh(looks))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(shared.fresh(looks))
    await asyncio.sleep(0)
    looks.may_end.release()
    assert (await first, await looks.begun.get(), await looks.begun.get()) == (1, 1, 2)
    third, joined = asyncio.ensure_future(shared.fresh(looks)), asyncio.ensure_future(shared.join(looks))
    await asyncio.sleep(0)
    assert await all_of(looks, second, third, joined) == [2, 3, 2]


async def test_whoever_goes_takes_the_look_from_nobody() -> None:
    shared, looks = Shared(), Looks()
    gone, stays = (asyncio.ensure_future(shared.join(looks)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({gone})
    assert await all_of(looks, stays) == [1]


async def test_a_look_that_fails_fails_for_all_who_share_it_and_for_nobody_later() -> None:
    shared = Shared()

    async def broken() -> int:
        raise InfrastructureError("away")

    failed = await asyncio.gather(*(shared.join(broken) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(error, InfrastructureError) for error in failed)
    with pytest.raises(InfrastructureError):
        await shared.fresh(broken)
    assert await all_of(looks := Looks(), asyncio.ensure_future(shared.fresh(looks))) == [1]

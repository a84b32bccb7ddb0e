import asyncio

import pytest
from fastflow_events.message import Statement, Verbatim
from fastflow_git_sync.ports import CommitMissingError, GitError
from fastflow_git_sync.searches import AT_ONCE, Searches, Wanted

NOTHING = Verbatim("no such pipeline")
HELLO = Wanted("shop", "hello", "c" * 40)


async def test_whoever_asks_while_it_is_looked_for_shares_the_search() -> None:
    searches, asked, go = Searches(), list[int](), asyncio.Event()

    async def find() -> Statement:
        asked.append(1)
        await go.wait()
        return NOTHING

    both = [asyncio.create_task(searches.result(HELLO, find)) for _ in range(2)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*both) == [NOTHING] * 2
    assert len(asked) == 1


async def test_what_was_found_is_looked_for_anew_by_who_asks_after_that() -> None:
    searches, answers = Searches(), iter([Verbatim("first"), Verbatim("second")])

    async def find() -> Statement:
        return next(answers)

    assert [await searches.result(HELLO, find) for _ in range(2)] == [Verbatim("first"), Verbatim("second")]


async def test_a_search_that_fails_says_why() -> None:
    async def find() -> Statement:
        raise CommitMissingError("there is no such commit")

    with pytest.raises(CommitMissingError):
        await Searches().result(HELLO, find)


async def test_no_more_is_looked_for_at_once_than_may_be() -> None:
    searches = Searches()

    async def find() -> Statement:
        await asyncio.Event().wait()
        return NOTHING

    asking = [asyncio.create_task(searches.result(Wanted("shop", "hello", f"{n:040x}"), find)) for n in range(AT_ONCE)]
    await asyncio.sleep(0)
    with pytest.raises(GitError, match="too many"):
        await searches.result(HELLO, find)
    searches.close()
    assert all(isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*asking, return_exceptions=True))

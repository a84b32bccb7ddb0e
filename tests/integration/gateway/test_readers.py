"""Questions to the read model: none waits behind a slow one, and a slow one ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastflow_events.errors import InfrastructureError
from fastflow_events.service.store import Store, open_store
from fastflow_gateway.adapters.projection import SCHEMA
from fastflow_gateway.adapters.readers import QUICK, Readers, open_readers
from fastflow_gateway.core.errors import TooSlowError
from fastflow_gateway.core.problems import problem_of

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
NEVER_S = 3600.0
SOON_S = 0.2


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    async with open_store(tmp_path / "read.db", SCHEMA) as store:
        yield store


async def rows_of(readers: Readers) -> list[Any]:
    return [tuple(row) for row in await readers.quick.ask("SELECT 1")]


async def test_nobody_waits_behind_slow_questions_while_a_connection_is_free(store: Store) -> None:
    async with open_readers(store.path, quick_within_s=NEVER_S, slow_within_s=NEVER_S) as readers:
        slow = [asyncio.ensure_future(readers.quick.ask(ENDLESS)) for _ in range(QUICK - 1)]
        slow.append(asyncio.ensure_future(readers.slow.ask(ENDLESS)))
        assert await rows_of(readers) == [(1,)]
        assert not any(question.done() for question in slow)
        for question in slow:
            question.cancel()
        await asyncio.wait(slow)


async def test_a_question_that_takes_too_long_is_interrupted_and_told_so(store: Store) -> None:
    async with open_readers(store.path, quick_within_s=SOON_S, slow_within_s=SOON_S) as readers:
        for lane in (readers.quick, readers.slow):
            with pytest.raises(TooSlowError, match=r"within 0\.2 s") as refused:
                await lane.ask(ENDLESS)
            assert (problem_of(refused.value).status, problem_of(refused.value).type) == (503, "urn:fastflow:too-slow")
        assert await rows_of(readers) == [(1,)]


async def test_when_all_are_slow_whoever_waits_for_a_turn_is_told_so_too(store: Store) -> None:
    async with AsyncExitStack() as stack:
        readers = await stack.enter_async_context(open_readers(store.path, quick_within_s=SOON_S))
        asked = [asyncio.ensure_future(readers.quick.ask(ENDLESS)) for _ in range(3 * QUICK)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(error, TooSlowError) for error in found)
        assert await rows_of(readers) == [(1,)]


async def test_whoever_goes_away_leaves_the_connection_to_others(store: Store) -> None:
    async with open_readers(store.path, quick_within_s=NEVER_S) as readers:
        for _ in range(2 * QUICK):
            question = asyncio.ensure_future(readers.quick.ask(ENDLESS))
            await asyncio.sleep(0)
            question.cancel()
            await asyncio.wait({question})
            assert question.cancelled()
        assert await rows_of(readers) == [(1,)]


async def test_what_sqlite_does_not_take_is_no_bug(store: Store) -> None:
    async with open_readers(store.path) as readers:
        for query, values in (
            ("SELECT ?", [2**70]),
            ("SELECT no_such_column", []),
            ("INSERT INTO fold VALUES (1, 2)", []),
        ):
            with pytest.raises(InfrastructureError):
                await readers.quick.ask(query, values)

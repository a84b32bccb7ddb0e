"""Reading connections: each question has one for itself, for as long as it may take.

A question that takes longer is interrupted inside SQLite, so that it gives back its connection, its thread and the
processor. Those that look at every row have connections of their own and more time.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import aiosqlite
from fastflow_events.errors import InfrastructureError
from fastflow_events.types import Seconds

from fastflow_gateway.core.errors import TooSlowError
from fastflow_gateway.core.refusals import ModelBehind, ModelUnreadable

QUICK = 4
QUICK_WITHIN_S = 2.0
SLOW = 1
SLOW_WITHIN_S = 30.0
STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock; short questions take fewer and are never interrupted."""
PRAGMAS = ("query_only = ON", "cache_size = -16384", "temp_store = MEMORY")
Values: TypeAlias = Sequence[str | int]


class Reader:
    """One connection; it is asked one question at a time."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db
        self._until = 0.0

    async def prepare(self) -> None:
        """Have SQLite look at the clock."""
        await self._db.set_progress_handler(lambda: time.monotonic() > self._until, STEPS)
        for pragma in PRAGMAS:
            await self._db.execute(f"PRAGMA {pragma}")

    async def ask(self, query: str, values: Values, within_s: Seconds) -> list[Any]:
        """All rows; the connection is free again when this returns or raises, also when whoever asked has gone."""
        self._until = time.monotonic() + within_s
        asking = asyncio.ensure_future(self._db.execute_fetchall(query, values))
        try:
            return list(await asyncio.shield(asking))
        except asyncio.CancelledError:
            self._until = 0.0
            with suppress(aiosqlite.Error):
                await asking
            raise
        except aiosqlite.OperationalError as exc:
            if time.monotonic() > self._until and "interrupted" in str(exc):
                raise TooSlowError(within_s) from exc
            raise


class Lane:
    """Some connections that take turns, and how long a question on them may take, waiting for its turn apart."""

    def __init__(self, readers: Sequence[Reader], within_s: Seconds) -> None:
        self._free: asyncio.LifoQueue[Reader] = asyncio.LifoQueue()
        self._within_s = within_s
        for reader in readers:
            self._free.put_nowait(reader)

    async def ask(self, query: str, values: Values = ()) -> list[Any]:
        """All rows that answer the question.

        Raises:
            TooSlowError: it takes too long, or those before it do.
            InfrastructureError: the read model cannot be read.
        """
        try:
            async with asyncio.timeout(self._within_s):
                reader = await self._free.get()
        except TimeoutError as exc:
            raise TooSlowError(self._within_s) from exc
        try:
            return await reader.ask(query, values, self._within_s)
        except (aiosqlite.Error, ValueError, OverflowError) as exc:
            if "no such index" in str(exc):  # it is made when the log was folded for the first time
                raise InfrastructureError(ModelBehind()) from exc
            raise InfrastructureError(ModelUnreadable(str(exc))) from exc
        finally:
            self._free.put_nowait(reader)


class Readers:
    """Two lanes: for what an index answers, and for what looks at every row."""

    def __init__(self, quick: Lane, slow: Lane) -> None:
        self.quick = quick
        self.slow = slow


@asynccontextmanager
async def open_readers(
    path: Path, *, quick_within_s: Seconds = QUICK_WITHIN_S, slow_within_s: Seconds = SLOW_WITHIN_S
) -> AsyncIterator[Readers]:
    """Open a file that somebody else writes; what is not committed is not seen."""
    async with AsyncExitStack() as stack:

        async def some(number: int) -> list[Reader]:
            address = f"{path.absolute().as_uri()}?mode=ro"
            found = []
            for _ in range(number):
                db = await stack.enter_async_context(aiosqlite.connect(address, uri=True))
                found.append(Reader(db))
                await found[-1].prepare()
            return found

        yield Readers(Lane(await some(QUICK), quick_within_s), Lane(await some(SLOW), slow_within_s))

"""What a run wrote, as numbered lines: a page of it, or all of it as it comes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.lines import Entry, LineFold, Place, after
from fastflow_gateway.views.runs import OVER, RunRow

POLL_S = 1.0
"""A bell may be missed; this long it is not noticed."""


class Page(NamedTuple):
    """Some entries and whether there are more now."""

    entries: list[Entry]
    more: bool


Followed: TypeAlias = list[Entry] | RunRow
"""New entries, none after a silent while; the row of the finished run is the last thing that comes."""


async def page_of_log(deps: Deps, run_id: str, place: Place, limit: int) -> Page:
    """At most `limit` entries after `place`, oldest first; an unfinished line of a live run is not one yet.

    Raises:
        NotFoundError: there is no such run.
    """
    entries: list[Entry] = []
    async for some in _stored(deps, await find_run(deps, run_id)):
        entries += after(some, place)
        if len(entries) > limit:
            return Page(entries[:limit], more=True)
    return Page(entries, more=False)


async def tail_of_log(deps: Deps, run_id: str, count: int) -> Page:
    """The last `count` entries, oldest first.

    Raises:
        NotFoundError: there is no such run.
    """
    entries: deque[Entry] = deque(maxlen=count)
    async for some in _stored(deps, await find_run(deps, run_id)):
        entries.extend(some)
    return Page(list(entries), more=False)


async def _stored(deps: Deps, row: RunRow) -> AsyncIterator[list[Entry]]:
    fold = LineFold()
    async for chunks in deps.output.read(row.id, after_seq=0):
        yield [entry for chunk in chunks for entry in fold.feed(chunk.attempt, chunk.chunk)]
    if row.status in OVER:
        yield fold.close()


async def follow_log(deps: Deps, run_id: str, place: Place) -> AsyncIterator[Followed]:
    """Everything after `place`, then each line as it comes; ends with the run's row when the run is over.

    A run's output is stored completely before the fact that ends its attempt, so what is read after the end was
    seen is all there is.
    """
    fold, seq = LineFold(), 0
    bell = asyncio.Event()
    async with deps.output.listen(run_id, bell):
        with deps.changes.listen(run_id, bell):
            while True:
                bell.clear()
                row = await find_run(deps, run_id)
                async for chunks in deps.output.read(run_id, after_seq=seq):
                    seq = chunks[-1].seq
                    fresh = [entry for chunk in chunks for entry in fold.feed(chunk.attempt, chunk.chunk)]
                    yield after(fresh, place)
                if row.status in OVER:
                    yield after(fold.close(), place)
                    yield row
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), POLL_S)
                yield []

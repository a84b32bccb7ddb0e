"""Searching what a run wrote: a bounded piece of it per question, beside the event loop."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from fastflow_events.aggregates.run.events import RunAttemptFinished
from fastflow_events.output import StreamName

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.lines import LogPosition
from fastflow_gateway.core.log_blocks import Block, BlockFold
from fastflow_gateway.core.log_faults import NoSearchCursor
from fastflow_gateway.core.log_search import Expression, Finder, Match
from fastflow_gateway.core.views.runs import OVER, RunRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.log_beginnings import begin_at
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.handlers.writers import Writers
from fastflow_gateway.ports import Output

MOST_MATCHES = 10_000
"""Of one search; then it stops."""
BYTES_AT_ONCE = 64_000_000
"""Searched per question; the next one goes on."""
_SLOW_S = 1.0
"""An expression that is slow, or a machine that is busy, ends a question earlier."""
_CURSOR = re.compile(r"([0-9]{1,9})\.([0-9]{1,15})-([0-9]{1,5})", re.ASCII)


class Wanted(NamedTuple):
    """A search."""

    expression: Expression
    stream: StreamName | None
    attempt: int | None
    """None for all of them."""
    context: int
    limit: int


class Progress(NamedTuple):
    """Where a search is."""

    place: LogPosition
    """Up to where it has looked."""
    matches: int = 0
    """Found so far, on earlier pages too."""

    def __str__(self) -> str:
        return f"{self.place.attempt}.{self.place.n}-{self.matches}"


class Found(NamedTuple):
    """What one question brings."""

    matches: list[Match]
    progress: Progress
    more: bool
    """Whether there is more to be searched."""
    stopped: bool
    """Whether it was given up because so many lines match."""
    scanned: float
    """Share of the lines that has been searched, from 0 to 1."""


def progress_of(cursor: str) -> Progress:
    """Read a cursor.

    Raises:
        InvalidParameterError: it is none of ours.
    """
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidParameterError(NoSearchCursor(), parameter="cursor", given=cursor[:40])
    return Progress(LogPosition(int(found[1]), int(found[2])), int(found[3]))


async def search_log(deps: Deps, run_id: str, wanted: Wanted, since: Progress | None) -> Found:
    """Search on behind `since`, or from the start.

    Raises:
        NotFoundError: there is no such run.
    """
    row = await find_run(deps, run_id)
    begun = since or Progress(LogPosition(wanted.attempt or 1, 0))
    writers, fold = Writers(deps.log, run_id), BlockFold()
    place = LogPosition(begun.place.attempt, max(begun.place.n - wanted.context, 0))
    seq = await begin_at(deps.output, run_id, writers, place, fold)
    search = _Search(wanted, begun)
    async for blocks in blocks_behind(deps.output, row, writers, fold, seq):
        await asyncio.to_thread(search.take, blocks)
        if search.is_done:
            break
    progress = Progress(search.place, begun.matches + len(search.finder.found))
    stopped = progress.matches >= MOST_MATCHES
    more = search.is_full and not stopped
    scanned = await _share(deps, row, writers, wanted, search.place) if more else 1.0
    return Found(search.finder.found, progress, more, stopped, scanned)


async def blocks_behind(
    output: Output, row: RunRow, writers: Writers, fold: BlockFold, seq: int
) -> AsyncIterator[Sequence[Block]]:
    """What is stored behind a position, in blocks; at the end of a run that is over also what no newline ended."""
    async for chunks in output.read(row.id, after_seq=seq):
        theirs = await writers.only(chunks)
        yield [block for chunk in theirs for block in fold.blocks(chunk.attempt, chunk.chunk)]
    if row.status in OVER:
        yield fold.rest()


class _Search:
    """One question under way."""

    def __init__(self, wanted: Wanted, begun: Progress) -> None:
        self._wanted = wanted
        self._begun = begun.place
        self._room = min(wanted.limit, MOST_MATCHES - begun.matches)
        self._bytes = 0
        self._clock = asyncio.get_running_loop().time
        self._slow_at = self._clock() + _SLOW_S
        self.finder = Finder(wanted.expression, context=wanted.context, stream=wanted.stream, after_line=begun.place.n)
        self.place = begun.place
        self.is_full = False
        """Whether it ended before there was nothing more to search."""
        self.is_done = False

    def take(self, blocks: Sequence[Block]) -> None:
        """Search them, or as many as may be."""
        for block in blocks:
            if self.is_done or block.attempt < self._begun.attempt or not block.data:
                continue
            if self._wanted.attempt not in (None, block.attempt):
                self.is_done = block.attempt > self._begun.attempt
                continue
            self._take(block)

    def _take(self, block: Block) -> None:
        if self.is_full:  # only for the lines behind the last matches
            self.finder.feed(block, 0)
            self.is_done = not self.finder.is_owed
            return
        self.finder.feed(block, room := self._room - len(self.finder.found))
        self._bytes += len(block.data)
        last = block.first + block.lines - 1
        if len(self.finder.found) >= self._room and room:
            last = min(last, self.finder.found[-1].n)
        self.place = max(self.place, LogPosition(block.attempt, last))
        self.is_full = (
            len(self.finder.found) >= self._room or self._bytes >= BYTES_AT_ONCE or self._clock() >= self._slow_at
        )
        self.is_done = self.is_full and not self.finder.is_owed


async def _share(deps: Deps, row: RunRow, writers: Writers, wanted: Wanted, place: LogPosition) -> float:
    """How much of what is to be searched lies before `place`, as far as anybody knows."""
    facts = (await deps.log.load("run", row.id)).facts
    lines = {fact.attempt: fact.output_lines for fact in facts if isinstance(fact, RunAttemptFinished)}
    if row.attempt not in lines:
        newest = await deps.output.last(row.id, row.attempt, await writers.of(row.attempt))
        lines[row.attempt] = (newest.chunk.line or 0) + len(newest.chunk.frames) if newest else 0
    theirs = {attempt: n for attempt, n in lines.items() if wanted.attempt in (None, attempt)}
    before = sum(n for attempt, n in theirs.items() if attempt < place.attempt) + place.n
    return min(before / max(sum(theirs.values()), 1), 1.0)

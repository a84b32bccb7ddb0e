"""What a run wrote, as numbered lines: a page of it."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from fastflow_gateway.core.lines import START, Entry, LineFold, LogPosition, after, position_of
from fastflow_gateway.core.unfinished_lines import Part
from fastflow_gateway.core.views.runs import OVER, RunRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.log_beginnings import begin_at
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.handlers.writers import Writers
from fastflow_gateway.ports import Output


class Page(NamedTuple):
    """Some entries and whether there are more now; with the last of them the lines that have not ended yet."""

    entries: list[Entry]
    more: bool
    unfinished: Sequence[Part] = ()


async def page_of_log(deps: Deps, run_id: str, place: LogPosition, limit: int) -> Page:
    """At most `limit` entries after `place`, oldest first; an unfinished line of a live run is none of them.

    Raises:
        NotFoundError: there is no such run.
    """
    entries: list[Entry] = []
    row = await find_run(deps, run_id)
    writers = Writers(deps.log, run_id)
    fold, seq = await begin(deps.output, run_id, writers, place)
    async for some in _stored(deps.output, row, writers, fold, seq):
        entries += after(some, place)
        if len(entries) > limit:
            return Page(entries[:limit], more=True)
    return Page(entries, more=False, unfinished=fold.parts())


async def tail_of_log(deps: Deps, run_id: str, count: int) -> Page:
    """The last `count` entries, oldest first.

    Raises:
        NotFoundError: there is no such run.
    """
    entries: deque[Entry] = deque(maxlen=count)
    row = await find_run(deps, run_id)
    writers = Writers(deps.log, run_id)
    newest = await deps.output.last(run_id, row.attempt, await writers.of(row.attempt)) if row.attempt else None
    known = newest.chunk.line or 0 if newest else 0
    # Enough of them lie behind this place, unless the last attempt has not written so many.
    place = LogPosition(row.attempt, known - count) if known >= count else START
    fold, seq = await begin(deps.output, run_id, writers, place)
    async for some in _stored(deps.output, row, writers, fold, seq):
        entries.extend(after(some, place))
    return Page(list(entries), more=False, unfinished=fold.parts())


async def position_before(deps: Deps, run_id: str, line: str) -> LogPosition:
    """The place just before a line that is wanted: `<attempt>.<line>`, or `<line>` of the run's newest attempt.

    Raises:
        NotFoundError: there is no such run.
        ContractError: the text names no line.
    """
    row = await find_run(deps, run_id)
    wanted = position_of(line if "." in line else f"{max(row.attempt, 1)}.{line}")
    return LogPosition(wanted.attempt, max(wanted.n - 1, 0))


async def begin(output: Output, run_id: str, writers: Writers, place: LogPosition) -> tuple[LineFold, int]:
    """A fold, and the stream position behind which to feed it, so that what comes after `place` comes out whole."""
    fold = LineFold()
    return fold, await begin_at(output, run_id, writers, place, fold)


async def _stored(
    output: Output, row: RunRow, writers: Writers, fold: LineFold, seq: int
) -> AsyncIterator[list[Entry]]:
    async for chunks in output.read(row.id, after_seq=seq):
        yield [entry for chunk in await writers.only(chunks) for entry in fold.feed(chunk.attempt, chunk.chunk)]
    if row.status in OVER:
        yield fold.close()

"""Reading two outputs side by side, as far as they are needed."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from fastflow_gateway.core.changes.output import Comparison, OutputDifference
from fastflow_gateway.core.lines import Line, LineFold, LogPosition
from fastflow_gateway.core.views.runs import OVER, RunRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.log_beginnings import begin_at
from fastflow_gateway.handlers.writers import Writers

MOST_LINES = 100_000
"""Compared; what comes behind them is left alone."""
_SHARE = 5000
"""Compared in one go of a thread."""


class Compared(NamedTuple):
    """How far two outputs say the same."""

    difference: OutputDifference | None
    equal: int
    complete: bool
    """Whether it was looked at to the difference, or to the end."""


async def compare_outputs(deps: Deps, before: RunRow, after: RunRow) -> Compared:
    """Of the last attempt of each."""
    comparison, sides = Comparison(), [_lines(deps, before), _lines(deps, after)]
    while not comparison.is_done and comparison.equal < MOST_LINES:
        for side, lines in enumerate(sides):
            while comparison.wants(side):
                some = await anext(lines, None)
                if some is None:
                    comparison.end(side)
                else:
                    await asyncio.to_thread(comparison.feed, side, some)
    return Compared(comparison.difference(), comparison.equal, comparison.is_done)


async def _lines(deps: Deps, row: RunRow) -> AsyncIterator[list[Line]]:
    writers, fold = Writers(deps.log, row.id), LineFold()
    seq = await begin_at(deps.output, row.id, writers, LogPosition(row.attempt, 0), fold)
    async for chunks in deps.output.read(row.id, after_seq=seq):
        for chunk in await writers.only(chunks):
            entries = fold.feed(chunk.attempt, chunk.chunk)
            lines = [found for place, found in entries if isinstance(found, Line) and place.attempt == row.attempt]
            for at in range(0, len(lines), _SHARE):
                yield lines[at : at + _SHARE]
    if row.status in OVER:
        yield [found for place, found in fold.close() if isinstance(found, Line) and place.attempt == row.attempt]

"""What stands out in what a run wrote: read once, and then only what came since."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from fastflow_events.aggregates.run.events import RunAttemptFinished
from fastflow_events.log import EventLog

from fastflow_gateway.core.log_marks import AttemptMarks, CellLines
from fastflow_gateway.core.views.runs import OVER, RunRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.handlers.writers import Writers
from fastflow_gateway.log_summaries import Begun
from fastflow_gateway.ports import StoredChunk

BYTES_AT_ONCE = 128_000_000
"""Read per question; the next one goes on."""


class Summary(NamedTuple):
    """What is known of a run's output."""

    attempts: list[AttemptMarks]
    cells: dict[int, dict[int, CellLines]]
    """What the driver of a notebook said of each cell, by attempt."""
    complete: bool
    scanned: float
    """Share of the lines, from 0 to 1."""


async def summary_of_log(deps: Deps, run_id: str) -> Summary:
    """Read on, at most so much, and tell.

    Raises:
        NotFoundError: there is no such run.
    """
    row = await find_run(deps, run_id)
    begun = deps.log_summaries.of(run_id)
    async with begun.lock:
        complete = begun.is_over or await _read(deps, row, begun)
        folds = begun.marks.attempts
        scanned = 1.0 if complete else await _share(deps.log, row, sum(fold.lines for fold in folds.values()))
        cells = {attempt: dict(fold.cells) for attempt, fold in folds.items() if fold.cells}
        return Summary([fold.shown() for fold in folds.values()], cells, complete, scanned)


async def _read(deps: Deps, row: RunRow, begun: Begun) -> bool:
    """True when all that is stored was read."""
    writers, size = Writers(deps.log, row.id), 0
    async for chunks in deps.output.read(row.id, after_seq=begun.seq):
        size += await asyncio.to_thread(_fold, begun, await writers.only(chunks))
        begun.seq = chunks[-1].seq
        if size >= BYTES_AT_ONCE:
            return False
    if row.status in OVER:
        begun.marks.feed(begun.lines.rest())
        begun.is_over = True
    return True


def _fold(begun: Begun, chunks: Sequence[StoredChunk]) -> int:
    for chunk in chunks:
        begun.marks.feed(begun.lines.blocks(chunk.attempt, chunk.chunk))
    return sum(len(frame.data) for chunk in chunks for frame in chunk.chunk.frames)


async def _share(log: EventLog, row: RunRow, lines: int) -> float:
    facts = (await log.load("run", row.id)).facts
    known = sum(fact.output_lines for fact in facts if isinstance(fact, RunAttemptFinished))
    return min(lines / known, 1.0) if known else 0.0

"""Where to begin to read a run's output, so that what is wanted comes out whole and little else is read."""

from fastflow_gateway.core.lines import LineFold, LogPosition
from fastflow_gateway.handlers.writers import Writers
from fastflow_gateway.ports import Output

_FEW_LINES = 2000
"""So many lines are read faster than they are looked for."""


async def begin_at(output: Output, run_id: str, writers: Writers, place: LogPosition, fold: LineFold) -> int:
    """The stream position behind which to feed a fresh fold, so that what comes after `place` comes out whole."""
    if place.n < _FEW_LINES:
        return 0 if place.attempt <= 1 else await _attempts_begin(output, run_id, writers, place.attempt, fold)
    attempt, by = place.attempt, await writers.of(place.attempt)
    first = await output.before(run_id, attempt, by, lambda chunk: chunk.line is not None and chunk.line < place.n)
    if first is None:
        return 0
    # The wanted line may have begun in an earlier chunk.
    frame = min([first.chunk.first, *(began for _, began, _ in first.chunk.open)])
    if frame < first.chunk.first:
        first = await output.before(run_id, attempt, by, lambda chunk: chunk.first <= frame) or first
    if first.chunk.line is None:
        return 0
    fold.begin_at(attempt, first.chunk)
    return first.seq - 1


async def _attempts_begin(output: Output, run_id: str, writers: Writers, attempt: int, fold: LineFold) -> int:
    first = await output.before(run_id, attempt, await writers.of(attempt), lambda chunk: chunk.first == 0)
    if first is None or first.chunk.first:
        return 0
    fold.begin_at(attempt, first.chunk)
    return first.seq - 1

"""Pages of the lines that are serious enough; a bounded piece of the output per question."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from fastflow_gateway.core.lines import Entry, Gap, LineFold, LogPosition, after
from fastflow_gateway.core.log_levels import LEVELS, Level, level_of
from fastflow_gateway.core.views.runs import OVER
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.log_beginnings import begin_at
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.handlers.writers import Writers
from fastflow_gateway.ports import StoredChunk

BYTES_AT_ONCE = 16_000_000


class LevelPage(NamedTuple):
    """Some entries, and where to go on when there may be more now."""

    entries: list[Entry]
    next: LogPosition | None


async def page_of_level(deps: Deps, run_id: str, place: LogPosition, limit: int, least: Level) -> LevelPage:
    """At most `limit` lines after `place` that are at least so serious, and the gaps between them, oldest first.

    Raises:
        NotFoundError: there is no such run.
    """
    row = await find_run(deps, run_id)
    writers, fold, size = Writers(deps.log, run_id), LineFold(), 0
    seq = await begin_at(deps.output, run_id, writers, place, fold)
    found: list[Entry] = []
    async for chunks in deps.output.read(run_id, after_seq=seq):
        theirs = await writers.only(chunks)
        some, last = await asyncio.to_thread(_serious, fold, theirs, place, least)
        found += some
        size += sum(len(frame.data) for chunk in theirs for frame in chunk.chunk.frames)
        if len(found) > limit:
            return LevelPage(found[:limit], found[limit - 1][0])
        if size >= BYTES_AT_ONCE and last is not None:
            return LevelPage(found, last)
    if row.status in OVER:
        found += _worse(after(fold.close(), place), least)
    return LevelPage(found[:limit], found[limit - 1][0] if len(found) > limit else None)


def _serious(
    fold: LineFold, chunks: Sequence[StoredChunk], place: LogPosition, least: Level
) -> tuple[list[Entry], LogPosition | None]:
    entries = after([entry for chunk in chunks for entry in fold.feed(chunk.attempt, chunk.chunk)], place)
    return _worse(entries, least), entries[-1][0] if entries else None


def _worse(entries: Sequence[Entry], least: Level) -> list[Entry]:
    """Gaps are as serious as it gets."""
    wanted = frozenset(LEVELS[LEVELS.index(least) :])
    return [entry for entry in entries if isinstance(entry[1], Gap) or level_of(entry[1].text) in wanted]

"""What a run wrote as it wrote it: its bytes, all of them or those of some lines."""

import base64
from collections.abc import AsyncIterator
from typing import NamedTuple

from fastflow_events.output import StreamName

from fastflow_gateway.core.lines import Gap, Line, LineFold, LogPosition
from fastflow_gateway.core.views.runs import OVER
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.log_beginnings import begin_at
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.handlers.writers import Writers


class Part(NamedTuple):
    """Which bytes."""

    attempt: int | None = None
    """None for all attempts, or the newest one where lines are named."""
    stream: StreamName | None = None
    from_line: int | None = None
    to_line: int | None = None


async def bytes_of_log(deps: Deps, run_id: str, part: Part) -> AsyncIterator[bytes]:
    """The bytes that are stored now, in pieces.

    Raises:
        NotFoundError: there is no such run.
    """
    if part.from_line is None and part.to_line is None:
        return _frames(deps, run_id, part)
    row = await find_run(deps, run_id)
    return _lines(deps, run_id, part._replace(attempt=part.attempt or max(row.attempt, 1)))


async def size_of_log(deps: Deps, run_id: str, part: Part) -> int:
    """How many bytes those are."""
    return sum([len(piece) async for piece in await bytes_of_log(deps, run_id, part)])


async def _frames(deps: Deps, run_id: str, part: Part) -> AsyncIterator[bytes]:
    writers, seen = Writers(deps.log, run_id), (0, 0)
    async for chunks in deps.output.read(run_id, after_seq=0):
        for stored in await writers.only(chunks):
            attempt, chunk = stored.attempt, stored.chunk
            if attempt < seen[0]:  # a given-up attempt may still write
                continue
            known = seen[1] if attempt == seen[0] else 0
            seen = (attempt, max(known, chunk.next))
            if part.attempt not in (None, attempt):
                continue
            frames = chunk.frames[max(0, known - chunk.first) :]
            data = b"".join(frame.data for frame in frames if part.stream in (None, frame.stream))
            if data:
                yield data


async def _lines(deps: Deps, run_id: str, part: Part) -> AsyncIterator[bytes]:
    attempt, first = part.attempt or 1, part.from_line or 1
    row = await find_run(deps, run_id)
    writers, fold = Writers(deps.log, run_id), LineFold()
    seq = await begin_at(deps.output, run_id, writers, LogPosition(attempt, first - 1), fold)
    async for chunks in deps.output.read(run_id, after_seq=seq):
        entries = [entry for one in await writers.only(chunks) for entry in fold.feed(one.attempt, one.chunk)]
        if data := _joined([(place, found) for place, found in entries if place.attempt == attempt], part):
            yield data
        if entries and entries[-1][0] >= LogPosition(attempt, part.to_line or 2**63):
            return
    if row.status in OVER and (data := _joined([e for e in fold.close() if e[0].attempt == attempt], part)):
        yield data


def _joined(entries: list[tuple[LogPosition, Line | Gap]], part: Part) -> bytes:
    return b"".join(
        _exact(line)
        for place, line in entries
        if isinstance(line, Line)
        and place.n >= (part.from_line or 1)
        and (part.to_line is None or place.n <= part.to_line)
        and part.stream in (None, line.stream)
    )


def _exact(line: Line) -> bytes:
    data = base64.b64decode(line.b64) if line.b64 is not None else line.text.encode()
    return data if line.unterminated else data + b"\n"

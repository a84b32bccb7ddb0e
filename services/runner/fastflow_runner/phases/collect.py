"""Collect: the attempt's artifacts go from the engine to the object store, each with a fact of its own."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import NamedTuple, cast

from fastflow_events.aggregates.run.commands import ReportAttempt
from fastflow_events.aggregates.run.events import RunArtifactStored
from fastflow_events.errors import InfrastructureError
from fastflow_events.log import EventLog
from fastflow_events.message import Statement
from fastflow_events.nats.artifacts import Artifact

from fastflow_runner.attempt import AttemptContext
from fastflow_runner.core.endings import Gone
from fastflow_runner.deps import Deps
from fastflow_runner.facts import record
from fastflow_runner.ports import Exit
from fastflow_runner.retrying import retry

logger = logging.getLogger(__name__)

RETRY_FOR_S = 300.0
"""How long the way to the store may be shut before artifacts are given up for the sake of the run's end."""


class Lost(NamedTuple):
    """Artifacts that were there and could not be stored."""

    paths: tuple[str, ...]
    why: Statement


async def collect(deps: Deps, context: AttemptContext, exit: Exit) -> Lost | None:
    """Store what the script left behind; returns what could not be stored.

    Raises:
        FencedError: the attempt belongs to somebody else.
    """
    if not exit.kept:
        return None
    stored = await retry(lambda: _stored(deps.log, context), what="reading what is stored")
    wanted = {number: path for number, path in enumerate(distinct(exit)) if path not in stored}
    why: Statement = Gone()
    try:
        if wanted:
            await retry(lambda: _move(deps, context, wanted), what="storing artifacts", retry_for_s=RETRY_FOR_S)
    except InfrastructureError as exc:
        why = exc.statement
    if not wanted:
        return None
    logger.warning("artifacts are lost: %s", why, extra={"action": "artifacts_lost", "count": len(wanted)})
    return Lost(tuple(wanted.values()), why)


def distinct(exit: Exit) -> Iterator[str]:
    """The paths, by number; where hiding secrets made two alike, the later one bears its number."""
    taken: set[str] = set()
    for number, (path, _) in enumerate(exit.kept):
        taken.add(path := f"{path}.{number}" if path in taken else path)
        yield path


async def _move(deps: Deps, context: AttemptContext, wanted: dict[int, str]) -> None:
    """Store what is wanted; what is done is taken out of it."""
    async with aclosing(cast(AsyncGenerator[tuple[int, bytes], None], deps.executor.kept(context.ref))) as kept:
        pieces = _Pieces(kept)
        while (number := await pieces.next_number()) is not None:
            if number not in wanted:
                await pieces.skip()
                continue
            artifact = Artifact(run_id=context.ref.run_id, attempt=context.ref.attempt, path=wanted[number])
            content = await deps.artifacts.store(artifact, pieces.of_this())
            report = RunArtifactStored(
                attempt=context.ref.attempt,
                runner=deps.holder.runner,
                path=artifact.path,
                sha256=content.sha256,
                size_bytes=content.size_bytes,
            )
            await record(deps.log, context, ReportAttempt(holder=deps.holder, report=report))
            del wanted[number]


async def _stored(log: EventLog, context: AttemptContext) -> set[str]:
    history = await log.load("run", context.ref.run_id)
    facts = (fact for fact in history.facts if isinstance(fact, RunArtifactStored))
    return {fact.path for fact in facts if fact.attempt == context.ref.attempt}


class _Pieces:
    """Numbered pieces, file by file."""

    def __init__(self, pieces: AsyncIterator[tuple[int, bytes]]) -> None:
        self._pieces = pieces
        self._held: tuple[int, bytes] | None = None

    async def next_number(self) -> int | None:
        """Number of the file that comes next; None after the last one."""
        if self._held is None:
            self._held = await anext(self._pieces, None)
        return self._held[0] if self._held else None

    async def of_this(self) -> AsyncIterator[bytes]:
        """The bytes of that file."""
        number = await self.next_number()
        while self._held is not None and self._held[0] == number:
            yield self._held[1]
            self._held = await anext(self._pieces, None)

    async def skip(self) -> None:
        """Leave that file out."""
        async for _ in self.of_this():
            pass

"""Follow the log into a store that keeps its own position; delete the file and it rebuilds.

One fact never stops a fold. What follows no contract, and what the fold itself cannot take, is set aside: kept in the
fold's store, counted, told by health, and its aggregate is doubted. The next build tries it again. What was said by who
had no right to is told likewise; folds get it as a `ForeignFact`, and nothing is doubted because of it.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from fastflow_events.doubts import Doubts, SetAside, words_of
from fastflow_events.errors import AnotherLogError, InfrastructureError
from fastflow_events.fact import BrokenFact, ForeignFact, UnknownFact
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded
from fastflow_events.service import telemetry
from fastflow_events.service.store import Store, is_about_the_file
from fastflow_events.service.tasks import turned

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 1.0
_BATCH = 1000
_WORLD = (InfrastructureError, OSError, MemoryError)
"""What a fold meets that is no fault of the fact in hand."""


class Projection(Protocol):
    """A fold of the log into rows."""

    name: str
    """What people know it by."""
    subject: str
    """Which facts are folded; wildcards allowed."""

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold the batch, oldest first; what it gives to `Store.write` is written together with the checkpoint.

        When it or the writing fails nothing is written, and the facts come again one by one; what is kept beside the
        rows has to be as if they had never come.
        """

    def doubt(self, aggregate: str, id: str) -> None:
        """One of the aggregate's facts is in no row: whatever is known of it, nothing may be decided on."""

    def committed(self, seq: int) -> None:
        """Everything up to `seq` is in committed rows now, or set aside; wake whoever waits."""


async def project(log: EventLog, store: Store, projection: Projection) -> None:
    """Keep `store` up to date until cancelled; after a failure, resume at its checkpoint.

    Raises:
        AnotherLogError: the log was made anew; the next start folds it from its beginning.
    """
    while True:
        try:
            await _remember(log, store, projection)
            checkpoint = await store.checkpoint()
            projection.committed(checkpoint)
            turned()
            async for batch in log.follow(projection.subject, after_seq=checkpoint):
                await apply_batch(log.doubts, store, projection, batch)
        except AnotherLogError:
            raise
        except Exception:  # the loop is the last line of defence: report, wait, resume
            logger.exception(
                "projection stopped", extra={"action": "projection_stopped", "subject": projection.subject}
            )
            await asyncio.sleep(RETRY_AFTER_S)


async def catch_up(log: EventLog, store: Store, projection: Projection) -> None:
    """Fold everything that the log holds now and `store` does not.

    Raises:
        InfrastructureError: the log did not answer.
        AnotherLogError: the log was made anew; the next start folds it from its beginning.
    """
    await _remember(log, store, projection)
    batch: list[Recorded] = []
    async for recorded in log.read(projection.subject, after_seq=await store.checkpoint()):
        batch.append(recorded)
        if len(batch) == _BATCH:
            await apply_batch(log.doubts, store, projection, batch)
            batch = []
    if batch:
        await apply_batch(log.doubts, store, projection, batch)


async def apply_batch(doubts: Doubts, store: Store, projection: Projection, batch: Sequence[Recorded]) -> None:
    """Fold one batch: rows and checkpoint commit together or not at all. A fact that cannot be folded is set aside.

    Raises:
        InfrastructureError, OSError, sqlite3.Error: the world failed; nothing of the batch that matters is done.
    """
    try:
        await _fold(doubts, store, projection, batch)
    except Exception as exc:
        if not _is_the_facts_fault(exc):
            raise
        for recorded in batch:
            await _fold_one(doubts, store, projection, recorded)


async def _fold_one(doubts: Doubts, store: Store, projection: Projection, recorded: Recorded) -> None:
    try:
        await _fold(doubts, store, projection, [recorded])
    except Exception as exc:
        if not _is_the_facts_fault(exc):
            raise
        logger.exception(
            "a fact cannot be folded",
            extra={"action": "fact_unfoldable", "fold": projection.name, "seq": recorded.seq},
        )
        aside, judged = [_set_aside(projection, recorded, words_of(exc))], store.judge([recorded])
        async with store.advance(recorded.seq):
            store.set_aside(aside)
            store.keep(judged)
        store.take(judged)
        _doubt(doubts, projection, aside)
        projection.committed(recorded.seq)


async def _fold(doubts: Doubts, store: Store, projection: Projection, batch: Sequence[Recorded]) -> None:
    known, newer, aside = [], 0, []
    judged = store.judge(batch)
    for recorded in judged.recorded:
        match recorded.fact:
            case ForeignFact(why=why):
                aside.append(_set_aside(projection, recorded, why, foreign=True))
                known.append(recorded)
            case BrokenFact(reason=reason):
                aside.append(_set_aside(projection, recorded, reason))
            case UnknownFact(wire_type=wire_type):
                telemetry.UNKNOWN.labels(wire_type).inc()
                newer += 1
            case _:
                known.append(recorded)
    async with store.advance(batch[-1].seq):
        if aside:
            store.set_aside(aside)
        if newer:
            store.step_over()
        await projection.apply(known)
        store.keep(judged)
    store.take(judged)
    _doubt(doubts, projection, aside)
    projection.committed(batch[-1].seq)


async def _remember(log: EventLog, store: Store, projection: Projection) -> None:
    """Doubt what the store says was set aside before this process, if it was said of this log."""
    if not await store.is_of(await log.life()):
        raise AnotherLogError(
            f"{store.path.name} was folded from a log that was made anew or restored; the next start folds it again"
        )
    aside = await store.aside()
    log.doubts.set_aside(aside)
    for fact in aside:
        if not fact.foreign:
            projection.doubt(fact.aggregate, fact.id)


def _doubt(doubts: Doubts, projection: Projection, aside: Sequence[SetAside]) -> None:
    doubts.set_aside(aside)
    for fact in aside:
        (telemetry.FOREIGN if fact.foreign else telemetry.SET_ASIDE).labels(fact.fold).inc()
        action = "fact_foreign" if fact.foreign else "fact_set_aside"
        logger.error("%s", fact.sentence, extra={"action": action, "fold": fact.fold, "seq": fact.seq})
        if not fact.foreign:
            projection.doubt(fact.aggregate, fact.id)


def _set_aside(projection: Projection, recorded: Recorded, error: str, *, foreign: bool = False) -> SetAside:
    return SetAside(
        fold=projection.name,
        seq=recorded.seq,
        aggregate=recorded.aggregate,
        id=recorded.id,
        type=recorded.wire_type,
        error=error,
        foreign=foreign,
    )


def _is_the_facts_fault(error: Exception) -> bool:
    """Whether it comes of the facts, so that trying them again would end the same way."""
    return not isinstance(error, _WORLD) and not is_about_the_file(error)

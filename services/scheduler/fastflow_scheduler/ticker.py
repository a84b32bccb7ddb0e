"""The loop: decide whenever the book has changed, and when the head of the agenda is due; sleep otherwise."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime

from fastflow_events.clock import Clock
from fastflow_events.errors import InfrastructureError

from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers import decide

logger = logging.getLogger(__name__)

LONGEST_S = 10.0
"""Clocks are set; nobody sleeps longer than this."""
RETRY_S = 1.0
"""After the log failed, while our clock is in doubt, and while the book still reads history."""
SETTLES_S = 3.0


async def run(deps: Deps, changed: asyncio.Event, clock: Clock) -> None:
    """Decide until cancelled; `changed` is set whenever the book is, or who leads, or who is alive."""
    await catch_up(deps, changed)
    while True:
        changed.clear()
        try:
            head = await decide(deps)
            pause = _until(head, clock())
        except InfrastructureError as exc:
            logger.warning("cannot decide now: %s", exc, extra={"action": "decide_failed"})
            pause = RETRY_S
        if pause > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await changed.wait()
        else:
            await asyncio.sleep(0)


async def catch_up(deps: Deps, changed: asyncio.Event) -> None:
    """Wait until the book knows what the log held when we came: old news must not be acted upon."""
    target = None
    while target is None or deps.book.seq < target:
        changed.clear()
        before = deps.book.seq
        try:
            target = await deps.log.last_seq() if target is None else target
        except InfrastructureError as exc:
            logger.warning("the log cannot be read: %s", exc, extra={"action": "catch_up_failed"})
            await asyncio.sleep(RETRY_S)
            continue
        if before >= target:
            break
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLES_S):
                await changed.wait()
        if deps.book.seq == before and before > 0:
            break  # what is left is nothing the book can read


def _until(head: datetime | None, now: datetime) -> float:
    """Seconds to sleep; a doubtful clock looks again soon."""
    if head is None:
        return RETRY_S
    return max(0.0, min((head - now).total_seconds(), LONGEST_S))

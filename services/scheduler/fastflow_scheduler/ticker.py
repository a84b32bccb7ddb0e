"""The loop: decide whenever the state has changed, and when the head of the agenda is due; sleep otherwise."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime

from fastflow_events import subjects
from fastflow_events.errors import InfrastructureError
from fastflow_events.service.clock import Clock
from fastflow_events.service.tasks import turned
from fastflow_events.service.waiting import is_set_within

from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers import decide

logger = logging.getLogger(__name__)

LONGEST_S = 10.0
"""Clocks are set; nobody sleeps longer than this."""
RETRY_S = 1.0
"""After the log failed, and while our clock is in doubt."""
SETTLES_S = 3.0
"""A state that does not move for so long may know all that it can read."""


async def run(deps: Deps, changed: asyncio.Event, clock: Clock) -> None:
    """Decide until cancelled; `changed` is set whenever the state is, or who leads, or who is alive."""
    await catch_up(deps, changed)
    while True:
        changed.clear()
        try:
            head = await decide(deps)
            pause = _until(head, await deps.time.now() or clock())
        except InfrastructureError as exc:
            logger.warning("cannot decide now: %s", exc, extra={"action": "decide_failed"})
            pause = RETRY_S
        turned()
        if pause > 0:
            await is_set_within(changed, pause)
        else:
            await asyncio.sleep(0)


async def catch_up(deps: Deps, changed: asyncio.Event, *, settles_s: float = SETTLES_S) -> None:
    """Wait until the state knows what the log held when we came: old news must not be acted upon."""
    target = None
    while target is None or deps.state.seq < target:
        try:
            target = await deps.log.last_seq() if target is None else target
            if deps.state.seq < target and not await _moves_on(deps, changed, settles_s):
                break
        except InfrastructureError as exc:
            logger.warning("the log cannot be read: %s", exc, extra={"action": "catch_up_failed"})
            await asyncio.sleep(RETRY_S)


async def _moves_on(deps: Deps, changed: asyncio.Event, settles_s: float) -> bool:
    """Wait until the state knows more; False when all that is left is nothing it can read."""
    before = deps.state.seq
    with suppress(TimeoutError):
        async with asyncio.timeout(settles_s):
            while deps.state.seq == before:  # others ring, too
                changed.clear()
                await changed.wait()
    if deps.state.seq != before:
        return True
    return bool([True async for _ in deps.log.read(subjects.EVENTS, after_seq=before, limit=1)])


def _until(head: datetime | None, now: datetime) -> float:
    """Seconds to sleep; a doubtful clock looks again soon."""
    if head is None:
        return RETRY_S
    return max(0.0, min((head - now).total_seconds(), LONGEST_S))

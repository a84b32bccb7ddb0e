"""The loop: decide whenever the book has changed, and once a second."""

import asyncio
import logging
from contextlib import suppress

from fastflow_events.errors import InfrastructureError

from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers import decide

logger = logging.getLogger(__name__)

TICK_S = 1.0


async def run(deps: Deps, changed: asyncio.Event) -> None:
    """Decide until cancelled; `changed` is set whenever the book is."""
    while True:
        changed.clear()
        try:
            await decide(deps)
        except InfrastructureError as exc:
            logger.warning("cannot decide now: %s", exc, extra={"action": "decide_failed"})
        for run_id in [id for id, seq in deps.acted.items() if seq <= deps.book.seq]:
            del deps.acted[run_id]
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), TICK_S)

"""Code deleted whose bundle expired: a fold of the log onto this engine's disk, looked at now and then.

Nothing is asked back. Where the same tree was stored again since, or another pipeline has it too, it is staged anew by
the run that needs it next.
"""

import asyncio
import logging
from collections.abc import Sequence

from fastflow_events import subjects
from fastflow_events.aggregates.pipeline.events import PipelineBundleExpired
from fastflow_events.errors import AnotherLogError, InfrastructureError
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded
from fastflow_events.service.projection import catch_up
from fastflow_events.service.store import Store
from fastflow_events.service.tasks import turned

from fastflow_runner.ports import Executor

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 3600.0
SCHEMA = ""
"""How far the log was followed is all that is kept."""


class ExpiredCode:
    """Deletes what a batch of facts names; the checkpoint moves when it is gone."""

    name = "expired code"
    subject = subjects.event("pipeline", fact="bundle_expired")

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Delete the code of each tree.

        Raises:
            InfrastructureError: the engine did not answer.
        """
        trees = sorted({r.fact.tree for r in batch if isinstance(r.fact, PipelineBundleExpired)})
        await self._executor.delete_code(trees)
        logger.info("expired code deleted", extra={"action": "code_deleted", "deleted": len(trees)})

    def doubt(self, aggregate: str, id: str) -> None:
        """Nothing is decided here."""

    def committed(self, seq: int) -> None:
        """Nobody waits."""


async def expire(log: EventLog, executor: Executor, store: Store) -> None:
    """Delete what expires, until cancelled."""
    while True:
        try:
            await catch_up(log, store, ExpiredCode(executor))
            turned()
        except AnotherLogError:
            raise
        except InfrastructureError as exc:
            logger.warning("expired code stays for now: %s", exc, extra={"action": "expiry_postponed"})
        except Exception:  # what is odd about a file or a fact must not end a runner; it is looked at again
            logger.exception("expired code is not deleted", extra={"action": "expiry_failed"})
        await asyncio.sleep(LOOK_EVERY_S)

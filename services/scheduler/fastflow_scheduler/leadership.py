"""Who may dispatch: a key that dies says who is alive, a fact in the log says who leads.

A leader that was deposed without noticing does no harm: every dispatch names the position of its own lease
fact, and the log refuses it once there is a newer one.
"""

import asyncio
import logging
from typing import Protocol

from fastflow_events.aggregates.queue.events import QUEUE, QueueLeased
from fastflow_events.errors import ConcurrencyError, InfrastructureError
from fastflow_events.log import EventLog
from fastflow_events.nats.leases import Leader
from fastflow_events.nats.topology import LEADER_TTL_S
from fastflow_events.recorded import Cause, Position
from fastflow_events.service.tasks import turned

from fastflow_scheduler.core.state.limits import Limits

logger = logging.getLogger(__name__)

RENEW_EVERY_S = LEADER_TTL_S / 4
TRY_EVERY_S = LEADER_TTL_S / 10


class Key(Protocol):
    """The key that says who is alive; it dies unless it is written again."""

    async def __call__(self, leader: Leader, *, expected_seq: int) -> int:
        """Take the key (`expected_seq` 0: nobody has it) or keep it; returns its new position.

        Raises:
            ConcurrencyError: somebody else has the key.
            InfrastructureError: the bus did not answer.
        """


class Leadership:
    """This scheduler's claim to lead the queue."""

    def __init__(self, key: Key, log: EventLog, name: str, limits: Limits) -> None:
        self._key = key
        self._log = log
        self._name = name
        self._limits = limits
        self._key_seq = 0
        self.lease: Position | None = None
        """Position of our lease fact; None while somebody else leads."""
        self.term = 0
        self.settled_term = 0
        """The term under which nothing of an earlier one is in doubt any more."""

    async def keep(self) -> None:
        """Take the lead when it is free and hold it, until cancelled."""
        while True:
            leads = await self.turn()
            turned()
            await asyncio.sleep(RENEW_EVERY_S if leads else TRY_EVERY_S)

    def step_down(self, why: str) -> None:
        """Stop dispatching; the next turn takes a new term, which settles every open question."""
        if self.lease is not None:
            logger.warning("stepping down: %s", why, extra={"action": "stepped_down", "term": self.term})
        self.lease = None

    async def turn(self) -> bool:
        """Take or keep the lead once; returns whether we have it."""
        try:
            leader = Leader(leader=self._name, term=self.term)
            self._key_seq = await self._key(leader, expected_seq=self._key_seq)
            if self.lease is None:
                await self._take_term()
        except ConcurrencyError:
            self._key_seq = 0
            self.step_down("another scheduler leads")
        except InfrastructureError as exc:
            self.step_down(str(exc))
        return self.lease is not None

    async def _take_term(self) -> None:
        history = await self._log.load("queue", QUEUE)
        terms = [fact.term for fact in history.facts if isinstance(fact, QueueLeased)]
        self.term = max(terms, default=0) + 1
        fact = QueueLeased(
            term=self.term,
            leader=self._name,
            max_running=self._limits.max_running,
            ageing_s=self._limits.ageing_s,
            default_pool=self._limits.default_pool,
        )
        cause = Cause(correlation_id=f"queue-term-{self.term}")
        [leased] = await self._log.append(history.position, [fact], cause=cause)
        self.lease = Position(aggregate="queue", id=QUEUE, seq=leased.seq, version=leased.version)
        logger.info("leading", extra={"action": "leading", "term": self.term})

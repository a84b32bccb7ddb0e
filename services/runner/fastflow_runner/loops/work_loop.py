"""The runner's loops: take work, hear what happens to runs in hand, set claims and engine against each other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from fastflow_events.errors import InfrastructureError
from fastflow_events.recorded import Recorded
from fastflow_events.service.tasks import turned

from fastflow_runner import handlers
from fastflow_runner.attempt import ActiveAttempts
from fastflow_runner.bus import Delivery, WorkQueue
from fastflow_runner.core.claims import Cancelled, Closed, OpenClaim, change
from fastflow_runner.core.reconcile import Adopt, Examine, neighbours, reconcile
from fastflow_runner.core.silence import Silence
from fastflow_runner.deps import Deps
from fastflow_runner.retrying import FIRST_PAUSE_S, retry

logger = logging.getLogger(__name__)

RECONCILE_EVERY_S = 30.0
LISTEN_EVERY_S = 5.0
OpenClaims = Callable[[], Awaitable[Sequence[OpenClaim]]]
"""Every open claim in the fold of the log; it may lag, so each is decided on again before anything is done."""


def hear(deps: Deps, recorded: Recorded) -> None:
    """Pass a new fact on to the attempt in hand that it concerns."""
    news = change(recorded)
    if isinstance(news, Cancelled):
        for _, signals in deps.held.of_run(news.run_id):
            signals.cancelled.set()
    elif isinstance(news, OpenClaim) and news.holder != deps.holder:
        for ref, signals in deps.held.of_run(recorded.id):
            if ref.attempt <= news.ref.attempt:
                signals.fenced.set()
    elif isinstance(news, Closed) and news.by_others:
        for ref, signals in deps.held.of_run(news.run_id):
            if ref.attempt == news.attempt:
                signals.fenced.set()


def hear_doubt(held: ActiveAttempts, run_id: str) -> None:
    """Leave the attempts in hand of a run that can be trusted no more."""
    for _, signals in held.of_run(run_id):
        signals.fenced.set()


class WorkLoop:
    """Runs until it is cancelled; attempts that are in hand then are left to the next process."""

    def __init__(self, deps: Deps, work: WorkQueue, open_claims: OpenClaims) -> None:
        self._deps = deps
        self._work = work
        self._open_claims = open_claims
        self._silence = Silence(deps.settings.take_over_after_s)
        self._takers: list[asyncio.Task[None]] = []
        self._draining = False
        self.settled = asyncio.Event()
        """Everything from before this process is in hand; new work is taken."""

    async def run(self) -> None:
        """Settle what was, then take what comes."""
        async with asyncio.TaskGroup() as tasks:
            await retry(lambda: self._reconcile(tasks), what="reconciling")
            self.settled.set()
            turned()
            tasks.create_task(self._keep_reconciling(tasks))
            tasks.create_task(self._mind_the_neighbours(tasks))
            if not self._draining:
                names = self._deps.settings.pool_names
                self._takers = [tasks.create_task(self._take_work(pool, tasks)) for pool in names]

    async def drain(self) -> None:
        """Take nothing new, and return once nothing is in hand."""
        self._draining = True
        self._deps.lease.close()
        logger.info("draining", extra={"action": "draining", "in_hand": len(self._deps.held)})
        if self._takers:
            await asyncio.wait(self._takers)
        await self._deps.slots.all_free()

    async def _reconcile(self, tasks: asyncio.TaskGroup) -> None:
        found = await self._deps.executor.found()
        claims = await self._open_claims()
        for action in reconcile(found, claims, me=self._deps.holder, handled=self._deps.held.refs()):
            match action:
                case Adopt(claim=claim):
                    self._adopt(claim, tasks)
                case Examine(ref=ref):
                    await handlers.examine(self._deps, ref)

    def _adopt(self, claim: OpenClaim, tasks: asyncio.TaskGroup) -> None:
        self._deps.held.add(claim.ref)
        self._deps.slots.take_anyway()
        tasks.create_task(self._in_slot(handlers.adopt(self._deps, claim)))

    async def _keep_reconciling(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            await asyncio.sleep(RECONCILE_EVERY_S)
            try:
                await self._reconcile(tasks)
            except InfrastructureError as exc:
                logger.warning("not reconciled: %s", exc, extra={"action": "reconcile_postponed"})

    async def _mind_the_neighbours(self, tasks: asyncio.TaskGroup) -> None:
        """Adopt what a runner of this engine held that is silent for good."""
        me, now = self._deps.holder, asyncio.get_running_loop().time
        while not self._draining:
            claims = await self._open_claims()
            expected = neighbours(claims, me)
            try:
                gone = self._silence.heard(expected, await self._deps.lease.alive(expected), now())
            except InfrastructureError:
                self._silence.deaf()
                gone = set()
            if gone and not self._draining:
                logger.warning("gone: %s", ", ".join(sorted(gone)), extra={"action": "neighbours_gone"})
                for action in reconcile((), claims, me=me, handled=self._deps.held.refs(), gone=gone):
                    if isinstance(action, Adopt):
                        self._adopt(action.claim, tasks)
            await asyncio.sleep(LISTEN_EVERY_S)

    async def _take_work(self, pool: str, tasks: asyncio.TaskGroup) -> None:
        slots = self._deps.slots
        while not self._draining:
            await slots.take()
            delivery = None if self._draining else await self._next(pool)
            if delivery is None:
                slots.give_back()
            elif self._draining:
                slots.give_back()
                await delivery.give_back(0)
            else:
                tasks.create_task(self._in_slot(handlers.take(self._deps, delivery)))

    async def _next(self, pool: str) -> Delivery | None:
        try:
            # Nothing is claimed that could not be started: no work while the bus is away.
            await self._deps.lease.not_after()
            return await self._work.next(pool)
        except InfrastructureError as exc:
            logger.warning("no work: %s", exc, extra={"action": "work_unreachable", "pool": pool})
            await asyncio.sleep(FIRST_PAUSE_S)
            return None

    async def _in_slot(self, handling: Awaitable[None]) -> None:
        try:
            await handling
        except Exception:  # one attempt never takes the others down; what it leaves is reconciled
            logger.exception("handling failed", extra={"action": "handling_failed"})
        finally:
            self._deps.slots.give_back()

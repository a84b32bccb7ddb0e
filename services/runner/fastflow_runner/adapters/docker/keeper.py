"""The loop that keeps the pool: makes, replaces and removes workers behind the backs of the attempts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from fastflow_events.errors import InfrastructureError
from fastflow_events.service.tasks import turned
from fastflow_events.service.waiting import is_set_within

from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.adapters.docker.pool import Pool
from fastflow_runner.adapters.docker.standby import Worker
from fastflow_runner.core import marks
from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.pool import next_bounds, pause_after, too_old, wanted

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 4.0
"""Starts ring; this is for workers that end by themselves. An attempt does not take one that has ended anyway."""
ASK_IMAGE_EVERY_S = 10.0
"""Each start asks, too; this makes new workers before anybody waits for them."""
SWEEP_EVERY_S = 30.0
HUSH_S = 0.25
"""After a start nothing is made for so long: a script's first moments are its own."""
HUSH_STEP_S = 0.05
LONGEST_HUSH_S = 2.0
"""Where starts never pause, a worker is made so often all the same."""
CLOSE_WITHIN_S = 8.0


class Keeper:
    """Keeps one pool."""

    def __init__(self, pool: Pool, engine: Engine, *, ceiling: int, usual: Callable[[], Awaitable[Bounds]]) -> None:
        """`ceiling` is the largest number of workers that may wait; with 0 a network waits for the next attempt.

        `usual` are the limits of an attempt whose pipeline names none.
        """
        self._usual = usual
        self._pool = pool
        self._engine = engine
        self._ceiling = ceiling
        self._pause_s = 0.0
        self._rest_until = float("-inf")
        self._swept = self._asked = float("-inf")
        self._making: asyncio.Task[None] | None = None

    async def keep(self) -> None:
        """Until cancelled; then whatever waits is removed, and what runs goes on."""
        try:
            while True:
                self._pool.bell.clear()
                try:
                    await self._look()
                except InfrastructureError as exc:
                    self._put_off(0.0)
                    logger.warning("no standby worker: %s", exc, extra={"action": "standby_postponed"})
                turned()
                await is_set_within(self._pool.bell, LOOK_EVERY_S)
        finally:
            await self._close()

    async def _look(self) -> None:
        now = _now()
        if now - self._swept > SWEEP_EVERY_S:
            await self._pool.sweep(first=self._swept < 0)
            self._swept = now
        if now - self._asked > ASK_IMAGE_EVERY_S:
            answer = await self._engine.call("image")
            self._pool.image = marks.image_of(answer.body).id if answer.status == 200 else "none"
            self._asked = now
        await self._drop_useless()
        want = wanted(self._pool.starts, now, self._ceiling)
        while len(self._pool.waiting) < want and _now() >= self._rest_until and self._pool.image != "none":
            await self._hush()
            waiting = [worker.bounds for worker in self._pool.waiting]
            await self._shielded(self._pool.make(next_bounds(self._pool.starts, _now(), waiting, await self._usual())))
        if not self._ceiling and _now() >= self._rest_until and self._pool.image != "none":
            await self._hush()
            await self._shielded(self._pool.nets.spare())
        for worker in self._pool.waiting[want:]:
            await self._pool.drop(worker)
        # A container that is made on demand joins one of these; its start is then half as long.
        self._pool.nets.shrink(max(want, 1), self._pool.image)
        await self._pool.nets.clean()

    async def _drop_useless(self) -> None:
        for worker in list(self._pool.waiting):
            lived_s = _now() - worker.born
            if worker.stream.is_cut():
                logger.info("a standby worker ended", extra={"action": "standby_ended", "lived_s": round(lived_s, 1)})
                self._put_off(lived_s)
            elif worker.image == self._pool.image and not too_old(lived_s):
                continue
            await self._pool.drop(worker)

    async def _shielded(self, making: Coroutine[None, None, None]) -> None:
        # Half made it would be known to nobody, not even to a sweep that looks before the engine is ready.
        self._making = asyncio.ensure_future(making)
        await asyncio.shield(self._making)

    def _put_off(self, lived_s: float) -> None:
        self._pause_s = pause_after(self._pause_s, lived_s)
        self._rest_until = _now() + self._pause_s

    async def _hush(self) -> None:
        """Let starts pass; they come first."""
        for _ in range(round(LONGEST_HUSH_S / HUSH_STEP_S)):
            if not self._pool.starting and _now() - self._pool.last_start > HUSH_S:
                return
            await asyncio.sleep(HUSH_STEP_S)

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                if self._making is not None:
                    await asyncio.wait({self._making})
                    self._making.exception()  # whoever waited for it is gone
                await asyncio.gather(*(self._drop(worker) for worker in list(self._pool.waiting)))
                # What was just being made, thrown away or taken over, is known to the engine only.
                await self._pool.sweep(first=self._swept < 0, last=True)
                self._pool.nets.shrink(0, "")
                await self._pool.nets.clean()
        except (TimeoutError, InfrastructureError) as exc:
            why = str(exc) or f"the engine takes longer than {CLOSE_WITHIN_S:g} s"
            logger.warning("what waited for attempts stays: %s", why, extra={"action": "pool_left"})

    async def _drop(self, worker: Worker) -> None:
        with suppress(InfrastructureError):  # the sweep tries again
            await self._pool.drop(worker)


def _now() -> float:
    return asyncio.get_running_loop().time()

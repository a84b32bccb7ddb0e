"""The runner's heartbeat, which is the lease of all its claims.

Who may use a runner id:

| there is | decision |
|---|---|
| no live heartbeat | take it |
| one of the process that held this runner's lock file before us | that process is dead: take it over at once |
| one of another process (another machine, another home) | wait two beats: silent → take it over, alive → refuse |
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Protocol

from fastflow_events.errors import ConcurrencyError, FastflowError, InfrastructureError
from fastflow_events.nats.leases import Heartbeat
from fastflow_events.nats.topology import HEARTBEAT_TTL_S
from fastflow_events.service.clock import Clock
from fastflow_events.service.tasks import turned
from fastflow_events.service.waiting import is_set_within
from msgspec.structs import replace

logger = logging.getLogger(__name__)

BEAT_EVERY_S = 3.0
RETRY_AFTER_S = 0.5
SILENCE_S = 2 * BEAT_EVERY_S + 1
MARGIN_S = 3.0
"""Clocks differ and starting takes a moment: user code starts at most `HEARTBEAT_TTL_S - MARGIN_S` after a beat."""
ENOUGH_S = 5.0
"""A start is not even tried with less of the lease left."""


class RunnerTakenError(FastflowError):
    """Another process works under this runner's id."""

    code = "runner-taken"


class Beats(Protocol):
    """Where heartbeats are kept."""

    async def read(self, runner: str) -> tuple[Heartbeat | None, int] | None:
        """The live heartbeat under a runner id and its position; what is none has a position only."""

    async def write(self, heartbeat: Heartbeat, *, expected_seq: int) -> int:
        """Store a heartbeat; returns its position.

        Raises:
            ConcurrencyError: another process wrote under this id, or the last one has died.
            InfrastructureError: the bus did not answer.
        """


class Lease:
    """This process's right to start user code, from its last acknowledged heartbeat on."""

    def __init__(
        self,
        beats: Beats,
        heartbeat: Heartbeat,
        *,
        running: Callable[[], int],
        clock: Clock,
        adding: Callable[[Heartbeat], Heartbeat] = lambda heartbeat: heartbeat,
    ) -> None:
        """`adding` puts into each heartbeat what changes besides."""
        self._beats = beats
        self._adding = adding
        self._heartbeat = heartbeat
        self._running = running
        self._clock = clock
        self._seq = 0
        self._beaten_at: datetime | None = None
        self._beaten = asyncio.Event()
        self._closing = asyncio.Event()

    def close(self) -> None:
        """No new attempts are taken from now on: the heartbeat says so at once, with no slots."""
        self._closing.set()

    async def alive(self, runners: Collection[str]) -> set[str]:
        """Those of the runners who have a live heartbeat on this engine.

        Raises:
            InfrastructureError: the bus did not answer.
        """
        found = [await self._beats.read(runner) for runner in runners]
        return {beat.runner for beat, _ in filter(None, found) if beat and beat.engine == self._heartbeat.engine}

    async def take(self, predecessor: str | None) -> None:
        """Become the holder of the runner id; `predecessor` is the incarnation that held our lock file before.

        Raises:
            RunnerTakenError: another process is alive under this id.
            InfrastructureError: the bus did not answer.
        """
        found = await self._beats.read(self._heartbeat.runner)
        if found and found[0] and found[0].incarnation not in (predecessor, self._heartbeat.incarnation):
            logger.warning("waiting for another holder of this runner id", extra={"action": "runner_id_in_use"})
            await asyncio.sleep(SILENCE_S)
            again = await self._beats.read(self._heartbeat.runner)
            if again is not None and again[1] != found[1]:
                raise self._taken()
            found = again
        self._seq = found[1] if found else 0
        try:
            await self._beat()
        except ConcurrencyError as exc:
            raise self._taken() from exc

    async def keep(self) -> None:
        """Beat until cancelled.

        Raises:
            RunnerTakenError: another process took the runner id over; this one must go.
        """
        while True:
            try:
                closing = self._closing.is_set()
                await self._beat()
                turned()
                await self._rest(closing)
            except InfrastructureError as exc:
                logger.warning("no heartbeat: %s", exc, extra={"action": "heartbeat_missed"})
                await asyncio.sleep(RETRY_AFTER_S)
            except ConcurrencyError:
                await self._find_position()

    def trouble(self) -> str:
        """Why nothing new is started; empty while the lease holds."""
        if self._beaten_at is None:
            return "no heartbeat is stored yet"
        silent_s = (self._clock() - self._beaten_at).total_seconds()
        return f"no heartbeat was stored for {silent_s:.0f} s" if silent_s > HEARTBEAT_TTL_S else ""

    async def not_after(self) -> datetime:
        """Last instant at which user code may start; waits while less than a few seconds are left."""
        while True:
            if self._beaten_at is not None:
                limit = self._beaten_at + timedelta(seconds=HEARTBEAT_TTL_S - MARGIN_S)
                if limit - self._clock() > timedelta(seconds=ENOUGH_S):
                    return limit
            self._beaten.clear()
            await self._beaten.wait()

    async def _beat(self) -> None:
        # The instant before it is sent: the lease may not be believed longer than the bus keeps it.
        now = self._clock()
        slots = 0 if self._closing.is_set() else self._heartbeat.slots
        heartbeat = replace(self._heartbeat, running=self._running(), slots=slots, at=now)
        self._seq = await self._beats.write(self._adding(heartbeat), expected_seq=self._seq)
        self._beaten_at = now
        self._beaten.set()

    async def _rest(self, announced: bool) -> None:
        """Wait for the next beat, which comes at once when the closing has not been said yet."""
        if announced:
            await asyncio.sleep(BEAT_EVERY_S)
        else:
            await is_set_within(self._closing, BEAT_EVERY_S)

    async def _find_position(self) -> None:
        """After an outage: our last beat has died, or was stored without an answer, or somebody else is there."""
        try:
            found = await self._beats.read(self._heartbeat.runner)
        except InfrastructureError:
            await asyncio.sleep(RETRY_AFTER_S)
            return
        if found and found[0] and found[0].incarnation != self._heartbeat.incarnation:
            raise self._taken()
        self._seq = found[1] if found else 0

    def _taken(self) -> RunnerTakenError:
        name = self._heartbeat.runner
        return RunnerTakenError(
            f"another process is alive as runner {name}; give each runner its own FASTFLOW_RUNNER_ID", runner=name
        )

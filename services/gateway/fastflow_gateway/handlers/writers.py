"""Whose output and samples of a run are believed: those of the runners that have held the attempt."""

from collections.abc import Sequence
from typing import TypeVar

from fastflow_events.aggregates.run.judging import holders
from fastflow_events.log import EventLog
from fastflow_events.service import telemetry

from fastflow_gateway.ports import StoredChunk, StoredSample

Stored = TypeVar("Stored", StoredChunk, StoredSample)


class Writers:
    """The runners of one run, as far as they are known; a claim is in the log before anything that follows it."""

    def __init__(self, log: EventLog, run_id: str) -> None:
        self._log = log
        self._run_id = run_id
        self._known: frozenset[tuple[int, str]] = frozenset()

    async def of(self, attempt: int) -> list[str]:
        """Those that have held an attempt.

        Raises:
            InfrastructureError: the bus did not answer.
        """
        await self._look()
        return sorted(runner for held, runner in self._known if held == attempt)

    async def only(self, stored: Sequence[Stored]) -> list[Stored]:
        """What they wrote of it; the rest is counted and stepped over.

        Raises:
            InfrastructureError: the bus did not answer.
        """
        if any((one.attempt, one.runner) not in self._known for one in stored):
            await self._look()
        theirs = []
        for one in stored:
            if (one.attempt, one.runner) in self._known:
                theirs.append(one)
            else:
                what = f"attempt {one.attempt} of run {self._run_id}"
                telemetry.unreadable(what, one.seq, f"runner {one.runner} has never held it")
        return theirs

    async def _look(self) -> None:
        self._known = holders((await self._log.load("run", self._run_id)).facts)

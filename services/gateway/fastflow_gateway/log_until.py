"""The log as it was up to a position, for looks into the past: nothing is appended to it."""

from collections.abc import AsyncIterator, Sequence
from typing import NoReturn

from fastflow_events import subjects
from fastflow_events.errors import InfrastructureError
from fastflow_events.fact import Fact
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause, History, Life, Position, Recorded


class LogUntil:
    """`EventLog` that ends at a position."""

    def __init__(self, log: EventLog, seq: int) -> None:
        self._log = log
        self._seq = seq
        self.doubts = log.doubts

    async def load(self, aggregate: str, id: str) -> History:
        """The history up to then."""
        history = await self._log.load(aggregate, id)
        return History(
            aggregate=aggregate, id=id, recorded=tuple(one for one in history.recorded if one.seq <= self._seq)
        )

    async def append(
        self, position: Position, facts: Sequence[Fact], *, cause: Cause, guard: Position | None = None
    ) -> NoReturn:
        """Refuse: what happened, happened."""
        raise InfrastructureError("nothing is appended to the past", id=position.id)

    async def follow(self, subject: str, *, after_seq: int) -> AsyncIterator[Sequence[Recorded]]:
        """What there was, at once; nothing follows."""
        batch = [recorded async for recorded in self.read(subject, after_seq=after_seq)]
        if batch:
            yield batch

    async def read(self, subject: str, *, after_seq: int = 0, limit: int | None = None) -> AsyncIterator[Recorded]:
        """Yield the facts up to then."""
        async for recorded in self._log.read(subject, after_seq=after_seq, limit=limit):
            if recorded.seq > self._seq:
                return
            yield recorded

    @property
    def trouble(self) -> str:
        """None that matters."""
        return ""

    async def life(self) -> Life:
        """Of the log as it is."""
        return await self._log.life()

    async def last_seq(self, subject: str = subjects.EVENTS) -> int:
        """Where it ends, at most."""
        return min(self._seq, await self._log.last_seq(subject))

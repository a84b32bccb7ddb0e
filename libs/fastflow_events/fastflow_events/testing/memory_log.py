"""The event log in a list; passes the same contract tests as the one on JetStream."""

import asyncio
import fnmatch
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime

from fastflow_events import subjects
from fastflow_events.aggregates.run.judging import doubt, history_of
from fastflow_events.doubts import Doubts
from fastflow_events.envelope import Reader, body_of, headers_of, subject_of
from fastflow_events.errors import ConcurrencyError
from fastflow_events.fact import Fact
from fastflow_events.recorded import Cause, History, Life, Position, Recorded


class MemoryLog:
    """`EventLog` in one process; facts pass through their wire form, so what cannot be encoded fails here too."""

    def __init__(
        self, *, source: str = "/fastflow/test/1", clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._source = source
        self._clock = clock
        self._reader = Reader()
        self._stored: list[tuple[str, Recorded]] = []
        self._changed = asyncio.Condition()
        self.doubts = Doubts()
        self.lived_since = "memory"

    async def load(self, aggregate: str, id: str) -> History:
        """Return every fact of one aggregate."""
        stored = [r async for r in self.read(subjects.of_aggregate(aggregate, id))]
        return history_of(aggregate, id, stored, self.doubts)

    async def append(
        self, position: Position, facts: Sequence[Fact], *, cause: Cause, guard: Position | None = None
    ) -> list[Recorded]:
        """Append all `facts` or none."""
        self.doubts.check(position.aggregate, position.id)
        checked = guard or position
        if (await self.load(checked.aggregate, checked.id)).position.seq != checked.seq:
            raise ConcurrencyError("somebody else appended first", id=position.id)
        appended = [self._through_the_wire(position, n, fact, cause) for n, fact in enumerate(facts, start=1)]
        async with self._changed:
            self._stored.extend((subject_of(r), r) for r in appended)
            self._changed.notify_all()
        return appended

    async def put(self, subject: str, headers: Mapping[str, str], body: bytes) -> Recorded:
        """Store whatever somebody sends, as the server does."""
        async with self._changed:
            recorded = self._reader.read(len(self._stored) + 1, subject, headers, body)
            self._stored.append((subject, recorded))
            self._changed.notify_all()
        return recorded

    def _through_the_wire(self, position: Position, number: int, fact: Fact, cause: Cause) -> Recorded:
        recorded = Recorded(
            seq=len(self._stored) + number,
            aggregate=position.aggregate,
            id=position.id,
            version=position.version + number,
            at=self._clock(),
            source=self._source,
            cause=cause,
            fact=fact,
        )
        return self._reader.recorded(recorded.seq, subject_of(recorded), headers_of(recorded), body_of(fact))

    async def read(self, subject: str, *, after_seq: int = 0, limit: int | None = None) -> AsyncIterator[Recorded]:
        """Yield the facts on `subject` that the log holds now."""
        matching = [r for s, r in self._stored if r.seq > after_seq and _matches(subject, s)]
        for recorded in matching[:limit]:
            doubt(self.doubts, [recorded], judged=False)
            yield recorded

    async def follow(self, subject: str, *, after_seq: int) -> AsyncIterator[Sequence[Recorded]]:
        """Yield batches for ever."""
        while True:
            async with self._changed:
                while not (batch := [r async for r in self.read(subject, after_seq=after_seq, limit=1000)]):
                    await self._changed.wait()
            yield batch
            after_seq = batch[-1].seq

    @property
    def trouble(self) -> str:
        """Memory has none."""
        return ""

    async def life(self) -> Life:
        """The same for ever, unless a test says otherwise."""
        return Life(self.lived_since, len(self._stored))

    async def last_seq(self, subject: str = subjects.EVENTS) -> int:
        """Position of the newest fact."""
        return next((r.seq for s, r in reversed(self._stored) if _matches(subject, s)), 0)


def _matches(pattern: str, subject: str) -> bool:
    """NATS wildcards: `*` is one token, `>` is the rest."""
    wanted, have = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, have = wanted[:-1], have[: len(wanted) - 1] if len(have) >= len(wanted) else []
    return len(wanted) == len(have) and all(fnmatch.fnmatchcase(h, w) for w, h in zip(wanted, have, strict=True))

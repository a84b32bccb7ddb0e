"""A year of runs: 200 pipelines of which few are asked for often, facts in the order in which they would come."""

import heapq
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from fastflow_events.aggregates.run.events import Trigger
from fastflow_events.fact import Fact
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.testing import builders
from fastflow_events.testing.memory_log import MemoryLog
from fastflow_events.types import TriggerKind

DAYS = 365
PIPELINES = 200
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
FACTS = 6
_WEIGHTS = list(accumulate(1 / (rank + 1) for rank in range(PIPELINES)))
_CAUSE = Cause(correlation_id="benchmark")


class _Long(MemoryLog):
    """A log of which only its length is asked."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self._last = last

    async def last_seq(self, subject: str = "") -> int:
        """How long it is."""
        return self._last


class Year:
    """So many runs, always the same ones."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self._dice = random.Random(7)
        self.first_until = 0

    def log_until(self, runs: int) -> MemoryLog:
        """A log that is as long as these runs make it."""
        self.first_until = runs * FACTS
        return _Long(self.first_until)

    def facts(self) -> Iterator[Recorded]:
        """Every fact in order."""
        seq, waiting = 0, list[tuple[datetime, int, int, str, Fact]]()
        step = timedelta(days=DAYS) / self._runs
        for number in range(self._runs):
            at = BEGIN + number * step
            while waiting and waiting[0][0] <= at:
                seq += 1
                yield self._recorded(seq, *heapq.heappop(waiting))
            for order, (later, run_id, fact) in enumerate(self._life(number, at)):
                heapq.heappush(waiting, (later, number, order, run_id, fact))
        while waiting:
            seq += 1
            yield self._recorded(seq, *heapq.heappop(waiting))

    def _recorded(self, seq: int, at: datetime, _number: int, order: int, run_id: str, fact: Fact) -> Recorded:
        return Recorded(
            seq=seq, aggregate="run", id=run_id, version=order + 1, at=at, source="/b/1", cause=_CAUSE, fact=fact
        )

    def _life(self, number: int, at: datetime) -> list[tuple[datetime, str, Fact]]:
        dice = self._dice
        run_id = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        [pipeline] = dice.choices(range(PIPELINES), cum_weights=_WEIGHTS)
        ended = dice.choices(("succeeded", "failed", "timed_out"), (93, 6, 1))[0]
        took = min(20_000.0, dice.lognormvariate(3, 1.5))
        begun = at + timedelta(seconds=1 + dice.expovariate(0.5))
        over = begun + timedelta(seconds=took)
        kinds: tuple[TriggerKind, TriggerKind] = ("schedule", "http")
        [kind] = dice.choices(kinds, (8, 2))
        who = "nightly" if kind == "schedule" else dice.choice(("ann", "bob", "eve"))
        request = builders.run_requested(
            pipeline=f"pipeline-{pipeline}",
            trigger=Trigger(kind=kind, who=who, schedule=f"p{pipeline}:nightly" if kind == "schedule" else None),
            params={"day": f"day{number * DAYS // self._runs}", "place": "shop"},
        )
        facts: tuple[tuple[datetime, Fact], ...] = (
            (at, request),
            (at + timedelta(milliseconds=5), builders.run_dispatched()),
            (begun, builders.run_claimed()),
            (begun, builders.run_started(started_at=begun)),
            (over, builders.attempt_finished(outcome=ended, exit_code=int(ended != "succeeded"), finished_at=over)),
            (over, builders.run_finished(outcome=ended)),
        )
        return [(later, run_id, fact) for later, fact in facts]

"""The queue as somebody saw it a moment ago, so that whoever lists runs does not sort all that wait each time."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from fastflow_events.message import Message
from msgspec import Struct, field

from fastflow_gateway.shared import Shared

LASTS_S = 1.0
REST = 10
"""A look that took long lasts this many times as long: it never costs more than a tenth of the time."""
CHEAP_S = 0.05
"""Whoever is new is looked for at once when that takes no longer."""


class Seen(Struct, frozen=True, kw_only=True):
    """What one run in the queue waits for."""

    position: int
    """Counting from 1."""
    reason: str
    reason_message: Message


class QueueSnapshot(Struct, kw_only=True):
    """The last look at the queue."""

    at: datetime | None = None
    took_s: float = 0.0
    runs: Mapping[str, Seen] = {}
    looks: Shared = field(default_factory=Shared)

    def serves(self, run_ids: Collection[str], now: datetime) -> bool:
        """Whether it is young enough for these runs; a clock that went back makes it old."""
        if self.at is None or not timedelta(0) <= now - self.at < timedelta(seconds=max(LASTS_S, REST * self.took_s)):
            return False
        return self.took_s > CHEAP_S or all(run_id in self.runs for run_id in run_ids)

    def keep(self, runs: Mapping[str, Seen], *, began: datetime, ended: datetime) -> None:
        """Remember what was seen."""
        self.at, self.took_s, self.runs = ended, max(0.0, (ended - began).total_seconds()), runs

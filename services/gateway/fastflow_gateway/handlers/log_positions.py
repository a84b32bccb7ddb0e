"""Positions of the log for instants, found by halving: the clocks of those who write are close to each other."""

from datetime import datetime

from fastflow_events import subjects
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded


async def position_before(log: EventLog, at: datetime) -> int:
    """A stream position all of whose later facts are at `at` or newer."""
    return await Positions(log, await log.last_seq()).before(at)


class Positions:
    """What is known of instants at positions; it is asked for more than one instant, and what was read is kept."""

    def __init__(self, log: EventLog, last: int) -> None:
        self._log = log
        self._last = last
        self._read: dict[int, Recorded | None] = {}

    async def before(self, at: datetime) -> int:
        """The last position whose fact is older than `at`; 0 when there is none."""
        low, high = 0, self._last
        while low < high:
            middle = (low + high) // 2
            first = await self._first(middle)
            if first is None or first.at >= at:
                high = middle
            else:
                low = first.seq
        return low

    async def _first(self, after: int) -> Recorded | None:
        if after not in self._read:
            found = [r async for r in self._log.read(subjects.EVENTS, after_seq=after, limit=1)]
            self._read[after] = found[0] if found else None
        return self._read[after]

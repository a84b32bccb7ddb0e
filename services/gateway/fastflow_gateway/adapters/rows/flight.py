"""What looks into the past ask of the rows of now: who was in flight at a position, and how many there were."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastflow_gateway.adapters.readers import Values
from fastflow_gateway.adapters.rows.asking import listed
from fastflow_gateway.adapters.rows.run_sql import OPEN_SQL
from fastflow_gateway.adapters.rows.runs import WHOLE, RunQuestions
from fastflow_gateway.core.views.run_row import RunRow, RunStatus
from fastflow_gateway.core.views.steps import status_at
from fastflow_gateway.rows.runs import StatusCounts

NEAR = 1500
"""Positions that the life of most runs spans; longer ones have an index of their own."""
_OPEN_THEN = f"(seq > ?1 OR {OPEN_SQL})"
_IN_FLIGHT = f"""
{WHOLE} WHERE n IN (
    SELECT n FROM runs NOT INDEXED WHERE n BETWEEN ?1 - {NEAR} AND ?1 AND {_OPEN_THEN}
    UNION
    SELECT n FROM runs INDEXED BY runs_long
    WHERE n < ?1 - {NEAR} AND (seq - n > {NEAR} OR {OPEN_SQL}) AND {_OPEN_THEN}
) ORDER BY n DESC
"""


class FlightQuestions(RunQuestions):
    """Questions about runs at a position."""

    async def in_flight(self, seq: int) -> list[RunRow]:
        """Rows, as they are now, of the runs that had been requested and were not over; newest first."""
        return await self._rows(_IN_FLIGHT, [seq])

    async def position_at(self, instant: str) -> int:
        """A position at or before an instant, less than two thousand before the last one."""
        found = await self._all("SELECT seq FROM moments WHERE at <= ? ORDER BY seq DESC LIMIT 1", (instant,))
        return int(found[0][0]) if found else 0

    async def counts_at(self, seq: int, pipelines: Sequence[str] | None) -> StatusCounts:
        """How many runs of each status there were: whole days out of the counts, the rest one by one."""
        [(first,)] = await self._all("SELECT MIN(hour) FROM hours WHERE last_n > ?", (seq,))
        [(last,)] = await self._all("SELECT MAX(hour) FROM hours")
        day = ((last or 0) // 24 + 1) if first is None else first // 24
        mine, some = "", list[str | int]()
        if pipelines is not None:
            mine, some = " AND pipeline IN (SELECT value FROM json_each(?))", [listed(pipelines)]
        query = f"SELECT status, SUM(runs) FROM day_counts WHERE day < ?{mine} GROUP BY status"
        counts: Counter[RunStatus] = Counter(dict(await self._all(query, [day, *some])))
        query = (
            "SELECT status, COUNT(*) FROM runs NOT INDEXED WHERE n BETWEEN "
            f"(SELECT MIN(first_n) FROM hours WHERE hour >= ?) AND ? AND hour >= ?{mine} GROUP BY status"
        )
        counts.update(dict(await self._all(query, [day * 24, seq, day * 24, *some])))
        for row in await self.in_flight(seq):
            then = status_at(row, seq)
            if then is not None and (pipelines is None or row.pipeline in pipelines):
                counts[row.status] -= 1
                counts[then] += 1
        return StatusCounts({status: number for status, number in counts.items() if number}, is_exact=True)

    async def all(self, query: str, values: Values = ()) -> list[Any]:
        """Whatever else is asked."""
        return await self._all(query, values)

"""Questions about runs."""

from collections.abc import Sequence

from fastflow_gateway.adapters.rows import run_sql
from fastflow_gateway.adapters.rows.asking import Asking, listed
from fastflow_gateway.adapters.rows.run_sql import Asked, Lead, Span
from fastflow_gateway.adapters.run_rows import COLUMNS
from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.core.views.run_row import RunRow, RunStatus
from fastflow_gateway.rows.runs import Order, StatusCounts

COUNTED = 10_000
"""More are estimated."""
LOOKED_AT = 20_000
"""How far it is counted how much an index leads to."""
COMMITS = 50
"""Commits that may begin alike."""
WHOLE = f"SELECT {COLUMNS} FROM runs JOIN run_details USING (n)"
_COMMITS = """
WITH RECURSIVE found(sha) AS (
    SELECT MIN(commit_sha) FROM runs WHERE commit_sha >= ?1
    UNION ALL
    SELECT (SELECT MIN(commit_sha) FROM runs WHERE commit_sha > found.sha) FROM found WHERE found.sha < ?1 || 'g'
    LIMIT ?2
)
SELECT sha FROM found WHERE sha < ?1 || 'g'
"""


class _Narrowed(Asking):
    """Filters with what only other tables know."""

    async def _names(self, wanted: RunFilter) -> list[str] | None:
        """Pipelines that are asked for, by their names, tags and repositories; None when all are."""
        if not wanted.tags and not wanted.repositories:
            return list(wanted.pipelines) or None
        query = "SELECT name FROM pipelines WHERE 1"
        values: list[str] = []
        if wanted.repositories:
            query += " AND repository IN (SELECT value FROM json_each(?))"
            values.append(listed(wanted.repositories))
        if wanted.tags:
            query += " AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value IN (SELECT value FROM json_each(?)))"
            values.append(listed([tag.casefold() for tag in wanted.tags]))
        found = [str(row[0]) for row in await self._all(query, values)]
        return [name for name in found if not wanted.pipelines or name in wanted.pipelines]

    async def _commits(self, wanted: RunFilter) -> list[str]:
        """Commits that begin as it is asked."""
        found: list[str] = []
        for prefix in wanted.commits:
            found += [str(row[0]) for row in await self._all(_COMMITS, (prefix, COMMITS)) if row[0]]
        return found

    async def _span(self, wanted: RunFilter, span: Span) -> Span | None:
        """Where the wanted runs may lie; None for nowhere."""
        asked = run_sql.span_of(wanted)
        if asked is None:
            return span
        [(low, high)] = await self._all(*asked)
        if low is None or high is None:
            return None
        return Span(max(low, span.low), min(high, span.high))

    async def _hits(
        self,
        wanted: RunFilter,
        span: Span,
        limit: int,
        *,
        oldest: bool = False,
        columns: str = "n",
        over_by: int | None = None,
    ) -> Asked | None:
        """The statement that finds the runs, of those that were over at a position; None when there can be none."""
        if over_by is not None:
            span = Span(span.low, min(span.high, over_by))
        pipelines, commits = await self._names(wanted), await self._commits(wanted)
        if pipelines == [] or (wanted.commits and not commits):
            return None
        within = await self._span(wanted, span)
        if within is None:
            return None
        rest = run_sql.rest_of(wanted, pipelines, commits, over_by)
        if wanted.q.strip():
            return run_sql.found_by_words(wanted, rest, within, limit, oldest=oldest, columns=columns)
        lead = await self._lead(run_sql.leads(wanted, pipelines, commits), within)
        return run_sql.hits(lead, rest, within, limit, oldest=oldest, columns=columns)

    async def _lead(self, leads: Sequence[Lead], span: Span) -> Lead | None:
        """The index that finds least, the first of those that find much."""
        if len(leads) == 1 and leads[0].name != "runs_duration":
            return leads[0]
        if not leads:
            return None
        [counts] = await self._all(*run_sql.sizes(leads, span, LOOKED_AT))
        best = min(range(len(leads)), key=lambda number: counts[number])
        in_order = [n for n, lead in enumerate(leads) if lead.name != "runs_duration"]
        if counts[best] < LOOKED_AT:
            return leads[best]
        return leads[in_order[0]] if in_order else None


class RunQuestions(_Narrowed):
    """`RunRows` over the reading connections."""

    async def run(self, run_id: str) -> RunRow | None:
        """The run, or None."""
        rows = await self._rows(f"{WHOLE} WHERE id = ?", [run_id])
        return rows[0] if rows else None

    async def runs(
        self,
        wanted: RunFilter,
        *,
        after: int | None = None,
        limit: int,
        order: Order = "newest",
        over_by: int | None = None,
    ) -> list[RunRow]:
        """Runs, newest first if not said otherwise, after a position in that order; of those that were over by then."""
        oldest = order == "oldest"
        span = run_sql.ALL
        if after is not None:
            span = Span(after + 1, span.high) if oldest else Span(0, after - 1)
        asked = await self._hits(wanted, span, limit, oldest=oldest, over_by=over_by)
        if asked is None:
            return []
        direction = "ASC" if oldest else "DESC"
        query = f"WITH hits AS MATERIALIZED ({asked.sql}) {WHOLE} WHERE n IN hits ORDER BY n {direction}"
        return await self._rows(query, asked.values)

    async def open_runs(self) -> list[RunRow]:
        """Every run that is not over, newest first."""
        query = f"SELECT n FROM runs INDEXED BY runs_open WHERE {run_sql.OPEN_SQL}"
        return await self._rows(f"{WHOLE} WHERE n IN ({query}) ORDER BY n DESC", [])

    async def run_counts(self, wanted: RunFilter, *, over_by: int | None = None) -> StatusCounts:
        """How many of each status; exact up to ten thousand."""
        if over_by is None and wanted == RunFilter(pipelines=wanted.pipelines):
            return await self._from_days(wanted)
        asked = await self._hits(wanted, run_sql.ALL, COUNTED + 1, columns="n, status", over_by=over_by)
        if asked is None:
            return StatusCounts({}, is_exact=True)
        query = f"SELECT status, COUNT(*), MIN(n), MAX(n) FROM ({asked.sql}) GROUP BY status"
        found = await self._all(query, asked.values)
        counts = {row[0]: int(row[1]) for row in found}
        if sum(counts.values()) <= COUNTED:
            return StatusCounts(counts, is_exact=True)
        [(first, last)] = await self._all("SELECT MIN(n), MAX(n) FROM runs")
        seen = max(row[3] for row in found) - min(row[2] for row in found) + 1
        factor = max(1.0, (last - first + 1) / seen)
        return StatusCounts({status: round(number * factor) for status, number in counts.items()}, is_exact=False)

    async def followers(self, run: RunRow) -> list[str]:
        """Ids of the runs that its end asked for, oldest first."""
        query = (
            "SELECT id, n FROM runs WHERE upstream_run = ? UNION SELECT id, n FROM runs "
            "WHERE json_array_length(upstream_runs) > 1 AND n > ? AND instr(upstream_runs, ?) ORDER BY n"
        )
        return [row[0] for row in await self._all(query, (run.id, run.requested_seq, f'"{run.id}"'))]

    async def statuses(self, run_ids: Sequence[str]) -> dict[str, RunStatus]:
        """The status of each of these runs that is known."""
        query = "SELECT id, status FROM runs WHERE id IN (SELECT value FROM json_each(?))"
        return dict(await self._all(query, (listed(run_ids),)))

    async def _from_days(self, wanted: RunFilter) -> StatusCounts:
        query = "SELECT status, SUM(runs) FROM hour_counts GROUP BY status"
        values: list[str] = []
        if wanted.pipelines:
            query = (
                "SELECT status, SUM(runs) FROM day_counts WHERE pipeline IN (SELECT value FROM json_each(?)) "
                "GROUP BY status"
            )
            values.append(listed(wanted.pipelines))
        return StatusCounts({row[0]: int(row[1]) for row in await self._all(query, values) if row[1]}, is_exact=True)

    async def _rows(self, query: str, values: Sequence[str | int]) -> list[RunRow]:
        return [RunRow(*found) for found in await self._all(query, values)]

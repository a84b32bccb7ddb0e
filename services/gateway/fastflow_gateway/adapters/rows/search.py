"""Questions about runs by the beginning of an id."""

from datetime import datetime

from fastflow_gateway.adapters.rows.asking import Asking
from fastflow_gateway.rows.statistics import RunBrief

_BEHIND = "\x7f"
"""Sorts behind every character of an id."""


class SearchQuestions(Asking):
    """`SearchRows` over the reading connections."""

    async def runs_by_id(self, prefix: str, *, limit: int) -> list[RunBrief]:
        """Runs whose id begins so."""
        query = (
            "SELECT pipeline, id, status, outcome, requested_at, duration_ms FROM runs INDEXED BY runs_id "
            "WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        )
        found = await self._all(query, (prefix, prefix + _BEHIND, limit))
        return [RunBrief._make((*row[:4], datetime.fromisoformat(row[4]), row[5])) for row in found]

    async def commits_by_id(self, prefix: str, *, limit: int) -> list[tuple[str, str]]:
        """Commits that begin so, each with the pipeline of its newest run; one step through the index for each."""
        query = (
            "WITH RECURSIVE found(sha) AS (SELECT MIN(commit_sha) FROM runs WHERE commit_sha >= ?1 UNION ALL "
            "SELECT (SELECT MIN(commit_sha) FROM runs WHERE commit_sha > found.sha) FROM found "
            "WHERE found.sha < ?1 || 'g' LIMIT ?2) SELECT sha, (SELECT pipeline FROM runs INDEXED BY runs_commit "
            "WHERE commit_sha IS NOT NULL AND commit_sha = sha ORDER BY n DESC LIMIT 1) FROM found "
            "WHERE sha < ?1 || 'g'"
        )
        return [(str(sha), str(pipeline)) for sha, pipeline in await self._all(query, (prefix, limit))]

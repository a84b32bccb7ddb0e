"""What is asked about runs by the beginning of an id."""

from typing import Protocol

from fastflow_gateway.rows.statistics import RunBrief


class SearchRows(Protocol):
    """The table of runs, by ids."""

    async def runs_by_id(self, prefix: str, *, limit: int) -> list[RunBrief]:
        """Runs whose id begins so, by id."""

    async def commits_by_id(self, prefix: str, *, limit: int) -> list[tuple[str, str]]:
        """Commits of runs that begin so, each with the pipeline of its newest run."""

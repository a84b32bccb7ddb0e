"""What is asked about runs."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.core.views.run_row import RunRow, RunStatus

Order: TypeAlias = Literal["newest", "oldest"]


class StatusCounts(NamedTuple):
    """How many runs have each status; statuses without runs are left out."""

    counts: dict[RunStatus, int]
    is_exact: bool
    """False when there are so many that they were estimated."""


class RunRows(Protocol):
    """The table of runs."""

    async def run(self, run_id: str) -> RunRow | None:
        """The run, or None if no fact about it has been folded yet."""

    async def runs(
        self, wanted: RunFilter, *, after: int | None = None, limit: int, order: Order = "newest"
    ) -> list[RunRow]:
        """Wanted runs in the order of their requests, behind the one that was requested at a stream position."""

    async def open_runs(self) -> list[RunRow]:
        """Every run that is not over, newest first."""

    async def run_counts(self, wanted: RunFilter) -> StatusCounts:
        """How many wanted runs there are."""

    async def followers(self, run: RunRow) -> list[str]:
        """Ids of the runs that the end of this one asked for, oldest first."""

    async def statuses(self, run_ids: Sequence[str]) -> dict[str, RunStatus]:
        """The status of each of these runs that is known."""

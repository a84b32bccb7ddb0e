"""What is asked about pipelines, schedules, chains and backfills."""

from collections.abc import Collection
from typing import Protocol

from fastflow_gateway.core.views.backfills import BackfillRow
from fastflow_gateway.core.views.chains import ChainRow
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.core.views.schedules import ScheduleRow
from fastflow_gateway.core.views.versions import VersionRow


class PipelineRows(Protocol):
    """The tables of pipelines and of the versions of their code."""

    async def pipeline(self, name: str) -> PipelineRow | None:
        """The pipeline, removed ones too, or None if it was never seen."""

    async def pipelines(self, *, after: str, limit: int) -> list[PipelineRow]:
        """Pipelines at the head of their repositories whose name sorts after `after`."""

    async def pipeline_names(self) -> list[str]:
        """Names of all pipelines at the head, sorted."""

    async def versions(self, pipeline: str, commits: Collection[str] | None = None) -> list[VersionRow]:
        """Commits whose code is stored, newest first; of these commits, if any are named."""


class ScheduleRows(Protocol):
    """The table of schedules; those that only a file speaks of are in their pipelines."""

    async def schedule(self, id: str) -> ScheduleRow | None:
        """What was said of a schedule beside its file, or None."""

    async def schedules(self) -> list[ScheduleRow]:
        """All of which there is a fact, by id; those that were removed have no plan."""


class ChainRows(Protocol):
    """The table of chains that were set over the API."""

    async def chains(self) -> list[ChainRow]:
        """Every chain that is not removed, by id."""


class BackfillRows(Protocol):
    """The table of backfills."""

    async def backfill(self, id: str) -> BackfillRow | None:
        """The backfill, or None."""

    async def backfills(
        self, *, pipeline: str | None = None, before_seq: int | None = None, limit: int
    ) -> list[BackfillRow]:
        """Backfills that were asked for before a stream position, newest first."""

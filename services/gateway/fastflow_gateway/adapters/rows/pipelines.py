"""Questions about pipelines and the versions of their code."""

from collections.abc import Collection

from fastflow_gateway.adapters.kept_rows import KeptRows
from fastflow_gateway.adapters.readers import Readers
from fastflow_gateway.adapters.rows.asking import Asking, listed
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.core.views.versions import VersionRow


class PipelineQuestions(Asking):
    """`PipelineRows` over the reading connections."""

    def __init__(self, readers: Readers, changes: Changes | None) -> None:
        super().__init__(readers)
        self._kept = KeptRows[PipelineRow](lambda: changes.of_pipelines) if changes else None

    async def pipeline(self, name: str) -> PipelineRow | None:
        """The pipeline, removed ones too, or None."""
        return await self._pipeline(name) if self._kept is None else await self._kept.get(name, self._pipeline)

    async def pipelines(self, *, after: str, limit: int) -> list[PipelineRow]:
        """Pipelines by name."""
        where = "pipelines WHERE name > ? AND status != 'removed' ORDER BY name LIMIT ?"
        return await self._select(PipelineRow, where, after, limit)

    async def pipeline_names(self) -> list[str]:
        """Names by name."""
        found = await self._all("SELECT name FROM pipelines WHERE status != 'removed' ORDER BY name")
        return [row[0] for row in found]

    async def versions(self, pipeline: str, commits: Collection[str] | None = None) -> list[VersionRow]:
        """Stored versions, newest first."""
        if commits is None:
            return await self._select(VersionRow, "versions WHERE pipeline = ? ORDER BY seq DESC", pipeline)
        where = "versions WHERE pipeline = ? AND commit_sha IN (SELECT value FROM json_each(?)) ORDER BY seq DESC"
        return await self._select(VersionRow, where, pipeline, listed(sorted(commits)))

    async def _pipeline(self, name: str) -> PipelineRow | None:
        rows = await self._select(PipelineRow, "pipelines WHERE name = ?", name)
        return rows[0] if rows else None

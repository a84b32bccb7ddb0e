"""Every question, answered as it is now."""

from pathlib import Path

from fastflow_events.errors import InfrastructureError

from fastflow_gateway.adapters.hashes import hash_tables
from fastflow_gateway.adapters.readers import Readers
from fastflow_gateway.adapters.rows.flight import FlightQuestions
from fastflow_gateway.adapters.rows.installation import InstallationQuestions
from fastflow_gateway.adapters.rows.pipelines import PipelineQuestions
from fastflow_gateway.adapters.rows.run_kin import RunKinQuestions
from fastflow_gateway.adapters.rows.schedules import ScheduleQuestions
from fastflow_gateway.adapters.rows.search import SearchQuestions
from fastflow_gateway.adapters.rows.statistics import StatisticsQuestions
from fastflow_gateway.adapters.rows.tokens import TokenQuestions
from fastflow_gateway.bell import Changes
from fastflow_gateway.ports import ModelHash
from fastflow_gateway.shared import Shared


class PresentRows(
    PipelineQuestions,
    FlightQuestions,
    StatisticsQuestions,
    SearchQuestions,
    RunKinQuestions,
    ScheduleQuestions,
    InstallationQuestions,
    TokenQuestions,
):
    """The questions of every noun, one file each."""

    def __init__(self, readers: Readers, path: Path, changes: Changes | None = None) -> None:
        """`changes` is told by whoever writes the rows; without it nothing that was read is kept."""
        super().__init__(readers, changes)
        self.readers = readers
        self._path = path
        self._hashing = Shared()

    async def hashes(self) -> ModelHash:
        """Hash every table as of one moment, once for all who ask."""
        return await self._hashing.fresh(lambda: hash_tables(self._path))

    async def ping(self) -> str | None:
        """None when rows can be read."""
        try:
            await self._all("SELECT 1")
        except InfrastructureError as exc:
            return str(exc)
        return None

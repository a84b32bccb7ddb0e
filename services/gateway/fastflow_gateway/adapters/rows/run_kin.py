"""Questions about the runs that a run is compared with, or was repeated by."""

from fastflow_gateway.adapters.rows.asking import Asking
from fastflow_gateway.core.views.run_row import RunRow

_LOOKED_AT = 2000
"""Successes among which those of one run configuration are looked for."""
_COUNTED = 30
_DURATIONS = """
SELECT duration_ms FROM (
    SELECT n, duration_ms FROM runs WHERE pipeline = ? AND status = 'succeeded' AND n < ? ORDER BY n DESC LIMIT ?
) JOIN run_details USING (n) WHERE duration_ms IS NOT NULL AND COALESCE(run_config_id, '') = ? ORDER BY n DESC LIMIT ?
"""


class RunKinQuestions(Asking):
    """`RunKinRows` over the table of runs."""

    async def durations_before(self, run: RunRow) -> list[int]:
        """Milliseconds of the last successes before it with its run configuration."""
        values = (run.pipeline, run.requested_seq, _LOOKED_AT, run.run_config_id or "", _COUNTED)
        return [row[0] for row in await self._all(_DURATIONS, values)]

    async def reruns(self, run_id: str) -> list[str]:
        """Ids of the runs that repeat it."""
        query = "SELECT id FROM run_details JOIN runs USING (n) WHERE rerun_of = ? ORDER BY n"
        return [row[0] for row in await self._all(query, (run_id,))]

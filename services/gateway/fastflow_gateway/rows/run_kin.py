"""What is asked about the runs that a run is compared with, or was repeated by."""

from typing import Protocol

from fastflow_gateway.core.views.run_row import RunRow


class RunKinRows(Protocol):
    """Other runs of the same pipeline."""

    async def durations_before(self, run: RunRow) -> list[int]:
        """Milliseconds of user code of the last thirty successes before it with its run configuration, newest first."""

    async def reruns(self, run_id: str) -> list[str]:
        """Ids of the runs that repeat it because somebody wanted it once more, oldest first."""

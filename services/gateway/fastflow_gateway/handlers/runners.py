"""Runners: who is alive, who is silent and still has runs."""

from fastflow_gateway.core.responses.runners import RunnerResponse, show_runners
from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.unreachable import HELD

MOST = 1000


async def list_runners(deps: Deps) -> list[RunnerResponse]:
    """Every runner that is alive or has runs in hand, by name.

    Raises:
        InfrastructureError: the bus did not answer.
    """
    beats = await deps.heartbeats()
    return show_runners(beats, await deps.rows.runs(RunFilter(statuses=HELD), limit=MOST))

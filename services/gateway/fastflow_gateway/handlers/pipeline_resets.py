"""Statistics of a pipeline, begun anew."""

from fastflow_events.aggregates.pipeline.commands import ResetStats
from fastflow_events.aggregates.pipeline.decider import pipeline_decider
from fastflow_events.execute import execute
from fastflow_events.recorded import Cause

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.settling import settle


async def reset_statistics(deps: Deps, name: str, *, who: str, why: str, cause: Cause) -> None:
    """Count its runs from now on.

    Raises:
        NotFoundError: there is no such pipeline.
    """
    facts = await execute(deps.log, pipeline_decider, name, ResetStats(who=who, why=why), cause=cause)
    await settle(deps.changes, facts)

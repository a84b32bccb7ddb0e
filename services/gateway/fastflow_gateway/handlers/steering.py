"""Steering what waits: priorities, retries that shall not wait, pauses."""

from fastflow_events.aggregates.pipeline.commands import PausePipeline, ResumePipeline
from fastflow_events.aggregates.pipeline.decider import pipeline_decider
from fastflow_events.aggregates.run.commands import HurryRun, PrioritiseRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.setting.commands import PauseEverything, ResumeEverything
from fastflow_events.aggregates.setting.decider import setting_decider
from fastflow_events.aggregates.setting.events import MAIN
from fastflow_events.execute import execute
from fastflow_events.recorded import Cause

from fastflow_gateway.deps import Deps


async def prioritise(deps: Deps, run_id: str, priority: int, *, who: str, cause: Cause) -> None:
    """Move a run in the queue.

    Raises:
        NotFoundError: there is no such run.
        NotActiveError: the run is over.
    """
    await execute(deps.log, run_decider, run_id, PrioritiseRun(priority=priority, who=who), cause=cause)


async def hurry(deps: Deps, run_id: str, *, who: str, cause: Cause) -> None:
    """Try a waiting run again now.

    Raises:
        NotFoundError: there is no such run.
        NotActiveError: the run is over.
    """
    await execute(deps.log, run_decider, run_id, HurryRun(who=who), cause=cause)


async def pause_pipeline(deps: Deps, name: str, *, paused: bool, who: str, cause: Cause) -> None:
    """Let a pipeline's runs wait and its schedules rest, or go on.

    Raises:
        NotFoundError: there is no such pipeline.
    """
    command = PausePipeline(who=who) if paused else ResumePipeline(who=who)
    await execute(deps.log, pipeline_decider, name, command, cause=cause)


async def pause_everything(deps: Deps, *, paused: bool, who: str, why: str, cause: Cause) -> None:
    """Start nothing new, or go on."""
    command = PauseEverything(who=who, why=why) if paused else ResumeEverything(who=who)
    await execute(deps.log, setting_decider, MAIN, command, cause=cause)

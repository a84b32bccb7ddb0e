"""What people do to the queue: priorities, retries that shall not wait, pauses, and emptying it."""

from fastflow_events.aggregates.pipeline.commands import PausePipeline, ResumePipeline
from fastflow_events.aggregates.pipeline.decider import pipeline_decider
from fastflow_events.aggregates.run.commands import HurryRun, PrioritiseRun, RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.setting.commands import PauseEverything, ResumeEverything
from fastflow_events.aggregates.setting.decider import setting_decider
from fastflow_events.aggregates.setting.events import MAIN
from fastflow_events.errors import ConcurrencyError
from fastflow_events.execute import execute, retry_on_conflict
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause
from fastflow_events.service.for_each import for_each

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import find_pipeline
from fastflow_gateway.handlers.queue import waiting
from fastflow_gateway.handlers.settling import settle

WAITS = frozenset({"queued", "waiting"})
WIDTH = 32
WHY = "the queue was purged"


async def prioritise(log: EventLog, run_id: str, priority: int, *, who: str, cause: Cause) -> None:
    """Move a run in the queue.

    Raises:
        NotFoundError: there is no such run.
        NotActiveError: the run is over.
    """
    await execute(log, run_decider, run_id, PrioritiseRun(priority=priority, who=who), cause=cause)


async def hurry(log: EventLog, run_id: str, *, who: str, cause: Cause) -> None:
    """Try a waiting run again now.

    Raises:
        NotFoundError: there is no such run.
        NotActiveError: the run is over.
    """
    await execute(log, run_decider, run_id, HurryRun(who=who), cause=cause)


async def pause_pipeline(deps: Deps, name: str, *, paused: bool, who: str, cause: Cause, why: str = "") -> None:
    """Let a pipeline's runs wait and its schedules rest, or go on.

    Raises:
        NotFoundError: there is no such pipeline.
    """
    command = PausePipeline(who=who, why=why) if paused else ResumePipeline(who=who)
    await settle(deps.changes, await execute(deps.log, pipeline_decider, name, command, cause=cause))


async def pause_everything(deps: Deps, *, paused: bool, who: str, why: str, cause: Cause) -> None:
    """Start nothing new, or go on."""
    command = PauseEverything(who=who, why=why) if paused else ResumeEverything(who=who)
    await settle(deps.changes, await execute(deps.log, setting_decider, MAIN, command, cause=cause))


async def purge(deps: Deps, pipeline: str | None, *, who: str, why: str, cause: Cause) -> int:
    """Cancel every run in the queue, or those of one pipeline; returns how many.

    Raises:
        NotFoundError: there is no such pipeline.
    """
    if pipeline is not None:
        await find_pipeline(deps, pipeline)
    command, cancelled = RequestCancel(who=who, why=why or WHY), set[str]()

    async def cancel(run_id: str) -> None:
        if await _cancel(deps.log, run_id, command, cause):
            cancelled.add(run_id)

    waiting_ids = [run.id for run in await waiting(deps) if pipeline in (None, run.pipeline)]
    await for_each(waiting_ids, cancel, at_once=WIDTH)
    return len(cancelled)


async def _cancel(log: EventLog, run_id: str, command: RequestCancel, cause: Cause) -> bool:
    """Cancel a run that waits; False for one that does not any more, or changes all the time."""

    async def attempt() -> bool:
        history = await log.load("run", run_id)
        run = run_decider.fold(history.facts)
        if run.phase not in WAITS or run.cancelled:
            return False
        await log.append(history.position, run_decider.decide(command, run), cause=cause)
        return True

    try:
        return await retry_on_conflict(attempt)
    except ConcurrencyError:
        return False

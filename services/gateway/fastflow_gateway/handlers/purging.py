"""Emptying the queue: what waits is cancelled, what has started meanwhile is left alone."""

import asyncio

from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.errors import ConcurrencyError
from fastflow_events.recorded import Cause

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import find_pipeline
from fastflow_gateway.handlers.queue import waiting

WAITS = frozenset({"queued", "waiting"})
WIDTH = 32
TRIES = 3
WHY = "the queue was purged"


async def purge(deps: Deps, pipeline: str | None, *, who: str, why: str, cause: Cause) -> int:
    """Cancel every run in the queue, or those of one pipeline; returns how many.

    Raises:
        NotFoundError: there is no such pipeline.
    """
    if pipeline is not None:
        await find_pipeline(deps, pipeline)
    todo = iter([run.id for run in await waiting(deps) if pipeline in (None, run.pipeline)])
    command = RequestCancel(who=who, why=why or WHY)

    async def worker() -> int:
        return sum([await _cancel(deps, run_id, command, cause) for run_id in todo])

    async with asyncio.TaskGroup() as tasks:
        workers = [tasks.create_task(worker()) for _ in range(WIDTH)]
    return sum(worker.result() for worker in workers)


async def _cancel(deps: Deps, run_id: str, command: RequestCancel, cause: Cause) -> bool:
    """Cancel a run that waits; False for one that does not any more."""
    for _ in range(TRIES):
        history = await deps.log.load("run", run_id)
        run = run_decider.fold(history.facts)
        if run.phase not in WAITS or run.cancelled:
            return False
        try:
            await deps.log.append(history.position, run_decider.decide(command, run), cause=cause)
        except ConcurrencyError:
            continue
        return True
    return False

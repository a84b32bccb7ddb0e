"""Asking for the runs that are pending."""

import logging

from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.errors import ConcurrencyError, ContractError
from fastflow_events.recorded import Cause, Position
from fastflow_rules.definition import priority_of
from msgspec.structs import replace

from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers.appending import each

logger = logging.getLogger(__name__)


async def ask(deps: Deps) -> None:
    """Ask for every run whose time has come; asking for one that is there already changes nothing."""
    pending_runs = deps.state.pending_runs

    async def one(run_id: str) -> None:
        pending = pending_runs.table.get(run_id)
        if pending is None or deps.own_writes.awaits(run_id, deps.state.seq):
            return
        if await request(deps, run_id, pending.request, pending.cause):
            pending_runs.due.pop(run_id, None)
        else:
            pending_runs.drop(run_id)

    await each(deps, "run", pending_runs.due, one)


async def request(deps: Deps, run_id: str, wanted: RunRequested, cause: Cause) -> bool:
    """Append the request; False when the run was asked for before, or can never be.

    Raises:
        InfrastructureError: the log did not answer.
    """
    try:
        complete = completed(deps.state, wanted)
        [appended] = await deps.log.append(Position(aggregate="run", id=run_id), [complete], cause=cause)
    except ConcurrencyError:
        return False
    except ContractError as exc:
        logger.error("run cannot be asked for: %s", exc, extra={"action": "unaskable", "run_id": run_id})  # noqa: TRY400
        return False
    deps.own_writes.remember(run_id, appended.seq)
    kind = wanted.trigger.kind
    logger.info("run requested", extra={"action": "run_requested", "run_id": run_id, "trigger": kind})
    return True


def completed(state: SchedulerState, wanted: RunRequested) -> RunRequested:
    """The request with the code at its pipeline's head and the priority its pipeline wants."""
    pipeline = state.pipelines.get(wanted.pipeline)
    if pipeline is None:
        return wanted
    priority = wanted.priority or priority_of(state.pipelines.definition(wanted.pipeline), wanted.run_config_id)
    return replace(wanted, commit=wanted.commit or pipeline.commit or None, priority=priority)

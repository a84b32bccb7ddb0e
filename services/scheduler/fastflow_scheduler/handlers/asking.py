"""Asking for the runs that are wished for."""

import logging

from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.errors import ConcurrencyError, ContractError
from fastflow_events.recorded import Cause, Position
from fastflow_rules.definition import priority_of
from msgspec.structs import replace

from fastflow_scheduler.core.state import Book
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers.appending import each

logger = logging.getLogger(__name__)


async def ask(deps: Deps) -> None:
    """Ask for every run whose time has come; asking for one that is there already changes nothing."""
    wishes = deps.book.wishes

    async def one(run_id: str) -> None:
        wish = wishes.shelf.get(run_id)
        if wish is None or deps.left_alone(run_id):
            return
        if await request(deps, run_id, wish.request, wish.cause):
            wishes.due.pop(run_id, None)
        else:
            wishes.drop(run_id)

    await each(deps, "run", wishes.due, one)


async def request(deps: Deps, run_id: str, wanted: RunRequested, cause: Cause) -> bool:
    """Append the request; False when the run was asked for before, or can never be.

    Raises:
        InfrastructureError: the log did not answer.
    """
    try:
        complete = completed(deps.book, wanted)
        [appended] = await deps.log.append(Position(aggregate="run", id=run_id), [complete], cause=cause)
    except ConcurrencyError:
        return False
    except ContractError as exc:
        logger.error("run cannot be asked for: %s", exc, extra={"action": "unaskable", "run_id": run_id})  # noqa: TRY400
        return False
    deps.acted[run_id] = appended.seq
    kind = wanted.trigger.kind
    logger.info("run requested", extra={"action": "run_requested", "run_id": run_id, "trigger": kind})
    return True


def completed(book: Book, wanted: RunRequested) -> RunRequested:
    """The request with the code at its pipeline's head and the priority its pipeline wants."""
    pipeline = book.pipelines.get(wanted.pipeline)
    if pipeline is None:
        return wanted
    priority = wanted.priority or priority_of(book.pipelines.definition(wanted.pipeline), wanted.run_config_id)
    return replace(wanted, commit=wanted.commit or pipeline.commit or None, priority=priority)

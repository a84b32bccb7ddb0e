"""Appending to a run as the book knows it; whoever was faster is read again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from fastflow_events.errors import ConcurrencyError, DomainError, InfrastructureError
from fastflow_events.recorded import Position
from fastflow_events.run.commands import RunCommand
from fastflow_events.run.decider import run_decider

from fastflow_scheduler.deps import Deps

logger = logging.getLogger(__name__)

T = TypeVar("T")
WIDTH = 32
"""Appends that are under way at once."""


async def append(deps: Deps, run_id: str, command: RunCommand, *, guard: Position | None = None) -> int:
    """Decide on the book's state and append; returns the position, 0 when there was nothing to say.

    Raises:
        ConcurrencyError: with `guard`, that the guard has moved; without, the run is decided again by itself.
        InfrastructureError: the log did not answer.
    """
    open_run = deps.book.runs.shelf.get(run_id)
    if open_run is None or deps.left_alone(run_id):
        return 0
    try:
        facts = run_decider.decide(command, open_run.run)
        appended = await deps.log.append(open_run.position, facts, cause=open_run.cause, guard=guard)
    except DomainError as exc:
        logger.info("refused: %s", exc, extra={"action": "refused", "run_id": run_id})
        return 0
    except ConcurrencyError:
        if guard is not None:
            raise
        return 0
    if not appended:
        return 0
    deps.acted[run_id] = appended[-1].seq
    action = appended[-1].wire_type.split(".")[1]
    logger.info("run %s", action, extra={"action": f"run_{action}", "run_id": run_id})
    return appended[-1].seq


async def each(things: Iterable[T], do: Callable[[T], Awaitable[object]]) -> None:
    """Do it with all of them, several at once; the first failure of the log ends it.

    Raises:
        InfrastructureError: the log did not answer.
    """
    several = list(things)
    if len(several) <= 1:
        for thing in several:
            await do(thing)
        return
    todo = iter(several)

    async def worker() -> None:
        for thing in todo:
            await do(thing)

    failed: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(WIDTH, len(several))):
                group.create_task(worker())
    except* InfrastructureError as failures:
        failed = failures.exceptions[0]
    if failed is not None:
        raise failed

"""Appending to a run as the state knows it; whoever was faster is read again."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from fastflow_events.aggregates.run.commands import RunCommand
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.doubts import Undecidable, words_of
from fastflow_events.errors import ConcurrencyError, DomainError, InfrastructureError
from fastflow_events.recorded import Position
from fastflow_events.service.for_each import for_each

from fastflow_scheduler.deps import Deps

logger = logging.getLogger(__name__)

WIDTH = 32
"""Appends that are under way at once."""


async def append(deps: Deps, run_id: str, command: RunCommand, *, guard: Position | None = None) -> int:
    """Decide on the state's state and append; returns the position, 0 when there was nothing to say.

    Raises:
        ConcurrencyError: with `guard`, that the guard has moved; without, the run is decided again by itself.
        InfrastructureError: the log did not answer.
    """
    open_run = deps.state.runs.table.get(run_id)
    if open_run is None or deps.own_writes.awaits(run_id, deps.state.seq):
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
    deps.own_writes.remember(run_id, appended[-1].seq)
    action = appended[-1].wire_type.split(".")[1]
    logger.info("run %s", action, extra={"action": f"run_{action}", "run_id": run_id})
    return appended[-1].seq


async def each(deps: Deps, kind: str, ids: Iterable[str], do: Callable[[str], Awaitable[object]]) -> None:
    """Do it with all aggregates of one kind, several at once; the first failure of the log ends it.

    One with which it cannot be done is left alone from then on: no decision about one thing may keep the others from
    theirs, nor be tried without end.

    Raises:
        InfrastructureError: the log did not answer.
    """
    await for_each(list(ids), lambda id: _alone(deps, kind, id, do), at_once=WIDTH)


async def _alone(deps: Deps, kind: str, id: str, do: Callable[[str], Awaitable[object]]) -> None:
    try:
        await do(id)
    except InfrastructureError:
        raise
    except ConcurrencyError as exc:
        logger.info("somebody was faster: %s", exc, extra={"action": "outrun", "aggregate": kind, "id": id})
    except Exception as exc:  # one thing that cannot be decided about must not stop everything
        logger.exception("no decision is possible", extra={"action": "left_alone", "aggregate": kind, "id": id})
        leave(deps, kind, id, exc)


def leave(deps: Deps, kind: str, id: str, error: Exception) -> None:
    """Decide nothing more about it until this process ends, and have health say so."""
    deps.log.doubts.add(kind, id, Undecidable(words_of(error)))
    deps.state.doubt(kind, id)

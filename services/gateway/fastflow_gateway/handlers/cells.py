"""How the cells of a run's notebook ended."""

from typing import Literal, TypeAlias

from fastflow_events.aggregates.run.events import RunCellFinished
from fastflow_events.log import EventLog
from msgspec import Struct

from fastflow_gateway.handlers.runs import history_of_run

CellStatus: TypeAlias = Literal["succeeded", "failed"]


class CellResponse(Struct, frozen=True, kw_only=True):
    """One code cell of one attempt."""

    attempt: int
    cell: int
    """Among the code cells, counting from 1."""
    status: CellStatus
    """`succeeded` or `failed`; cells that were not executed to their end are not there."""
    tries: int
    """How often it was executed."""


async def cells_of_run(log: EventLog, run_id: str) -> list[CellResponse]:
    """Every cell of every attempt, in the order in which they ended.

    Raises:
        NotFoundError: there is no such run.
    """
    return [
        CellResponse(
            attempt=fact.attempt,
            cell=fact.cell,
            status="succeeded" if fact.succeeded else "failed",
            tries=fact.tries,
        )
        for fact in (await history_of_run(log, run_id)).facts
        if isinstance(fact, RunCellFinished)
    ]

"""The cells of a run's notebook: a fact says how each ended, its driver's words in the output when, where and why."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, TypeAlias

from fastflow_events.aggregates.run.events import RunAttemptFinished, RunCellFinished, RunDispatched, RunLost
from fastflow_events.fact import Fact
from msgspec import Struct

from fastflow_gateway.core.log_marks import CellLines
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.log_summary import summary_of_log
from fastflow_gateway.handlers.runs import history_of_run

CellStatus: TypeAlias = Literal["running", "succeeded", "failed", "interrupted"]


class CellResponse(Struct, frozen=True, kw_only=True):
    """One code cell of one attempt."""

    attempt: int
    cell: int
    """Among the code cells, counting from 1."""
    status: CellStatus
    """`interrupted`: the attempt was over before the cell was. Cells that were not begun are not there."""
    tries: int
    """How often it was executed."""
    started_at: datetime | None
    """Of its first try; null where the output does not say, or is not stored any more."""
    finished_at: datetime | None
    error: str
    """Why its last try failed; empty when it did not."""
    from_line: int | None
    """Lines of the attempt's output from its beginning to its end, or to what was said last of it."""
    to_line: int | None


async def cells_of_run(deps: Deps, run_id: str) -> list[CellResponse]:
    """Every cell of every attempt, in the order in which they began.

    Raises:
        NotFoundError: there is no such run.
    """
    facts = (await history_of_run(deps.log, run_id)).facts
    ends = {(fact.attempt, fact.cell): fact for fact in facts if isinstance(fact, RunCellFinished)}
    if not ends and not any(isinstance(f, RunDispatched) and f.specification.kind == "notebook" for f in facts):
        return []
    lines = {
        (attempt, cell): found
        for attempt, cells in (await summary_of_log(deps, run_id)).cells.items()
        for cell, found in cells.items()
    }
    over = _attempts_over(facts)
    keys = [*lines, *(key for key in ends if key not in lines)]
    return [_shown(key, ends.get(key), lines.get(key), is_over=key[0] in over) for key in sorted(keys)]


def _attempts_over(facts: Iterable[Fact]) -> set[int]:
    return {fact.attempt for fact in facts if isinstance(fact, RunAttemptFinished | RunLost)}


def _shown(
    key: tuple[int, int], end: RunCellFinished | None, lines: CellLines | None, *, is_over: bool
) -> CellResponse:
    return CellResponse(
        attempt=key[0],
        cell=key[1],
        status=_status(end, lines, is_over=is_over),
        tries=end.tries if end else lines.tries if lines else 1,
        started_at=lines.started_at if lines else None,
        finished_at=lines.finished_at if lines else None,
        error=lines.failure if lines else "",
        from_line=lines.from_line if lines else None,
        to_line=lines.to_line if lines else None,
    )


def _status(end: RunCellFinished | None, lines: CellLines | None, *, is_over: bool) -> CellStatus:
    if end is not None:
        return "succeeded" if end.succeeded else "failed"
    if lines is not None and lines.finished_at is not None:
        return "failed" if lines.failure else "succeeded"
    return "interrupted" if is_over else "running"

"""Lists of runs, as they are now."""

from collections.abc import Sequence

from fastflow_gateway.core.responses.runs import RunResponse, show_run
from fastflow_gateway.core.run_cursors import cursor_after, position_after
from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.core.views.run_row import RunRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.commits import shown_commits
from fastflow_gateway.handlers.unreachable import out_of_reach
from fastflow_gateway.handlers.waiting_for import waiting_for
from fastflow_gateway.rows.runs import Order


async def page_of_runs(
    deps: Deps, wanted: RunFilter, *, cursor: str | None, limit: int, order: Order
) -> tuple[list[RunResponse], str | None]:
    """Wanted runs and the cursor to go on with.

    Raises:
        InvalidParameterError: the cursor was given for another question.
    """
    after = position_after(cursor, wanted, order)
    rows = await deps.rows.runs(wanted, after=after, limit=limit + 1, order=order)
    following = cursor_after(rows[limit - 1].requested_seq, wanted, order) if len(rows) > limit else None
    return await shown(deps, rows[:limit]), following


async def shown(deps: Deps, rows: Sequence[RunRow]) -> list[RunResponse]:
    """Runs for people, with what no row says."""
    waits, lost = await waiting_for(deps, rows), await out_of_reach(deps.heartbeats, rows)
    commits = await shown_commits(deps, (row.commit_sha for row in rows))
    return [
        show_run(
            row,
            untrusted=deps.log.doubts.reason("run", row.id),
            waits=waits.get(row.id),
            unreachable=row.id in lost,
            commit=commits.of(row.commit_sha),
        )
        for row in rows
    ]

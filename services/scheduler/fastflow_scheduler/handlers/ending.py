"""The last word about attempts and runs."""

from datetime import datetime, timedelta

from fastflow_events.aggregates.run.commands import ConcludeRun, RequestCancel, WithdrawDispatch

from fastflow_scheduler.core.agenda import Entry
from fastflow_scheduler.core.endings import BackfillCancelled, NotClaimed
from fastflow_scheduler.core.retries import retry_due
from fastflow_scheduler.core.state.records import OpenRun
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers.appending import append, each

AGAIN = timedelta(seconds=5)


async def conclude(deps: Deps) -> None:
    """End every run whose attempt ended, or let it wait for its next one; and every cancelled one nobody holds."""

    async def end(run_id: str) -> None:
        open_run = deps.state.runs.table.get(run_id)
        if open_run is not None:
            await append(deps, run_id, ConcludeRun(retry_due=due_again(run_id, open_run)))

    await each(deps, "run", deps.state.runs.to_end, end)


def due_again(run_id: str, open_run: OpenRun) -> datetime | None:
    """When the run is tried again; None when this was its end."""
    run = open_run.run
    if run.phase != "ended" or run.outcome is None or run.cancelled:
        return None
    return retry_due(
        run_id, run.attempt, run.outcome, run.specification, ended_at=open_run.touched_at, lost=open_run.lost
    )


async def cancel(deps: Deps) -> None:
    """Ask for the end of the open runs of cancelled backfills."""
    to_cancel = deps.state.backfills.to_cancel

    async def end(run_id: str) -> None:
        open_run = deps.state.runs.table.get(run_id)
        if open_run is None or open_run.run.cancelled:
            to_cancel.pop(run_id, None)
            return
        await append(deps, run_id, RequestCancel(who=to_cancel[run_id], why=BackfillCancelled()))

    await each(deps, "run", to_cancel, end)


async def withdraw(deps: Deps, run_ids: list[str], now: datetime) -> None:
    """Take back what nobody claimed in time; it costs no retry.

    Only whoever leads does: it also dispatches, so that both instants come from one clock.
    """

    async def take_back(run_id: str) -> None:
        open_run = deps.state.runs.table.get(run_id)
        if open_run is None or open_run.run.phase != "dispatched":
            return
        deps.state.agenda.set(Entry("claim", run_id), now + AGAIN)
        if deps.leadership.lease is None:
            return
        reason = NotClaimed(open_run.pool, deps.settings.claim_within_s)
        await append(deps, run_id, WithdrawDispatch(attempt=open_run.run.attempt, reason=reason))

    await each(deps, "run", run_ids, take_back)

"""From what the state says to what is appended next. Safe to repeat, on any number of replicas."""

from datetime import UTC, datetime
from itertools import islice

from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers import admitting, asking, ending, firing, overdue_repositories, restarting

AT_ONCE = 256
"""Entries of the agenda that are worked off before runs are admitted again."""


async def decide(deps: Deps) -> datetime | None:
    """Append everything that follows from the state now; returns when the next thing is due, None while nobody knows.

    Raises:
        InfrastructureError: the log did not answer; what is left is done next time.
    """
    deps.own_writes.forget(deps.state.seq)
    await ending.conclude(deps)
    await ending.cancel(deps)
    await restarting.go_on(deps)
    now = await deps.time.now()
    firing.plan_ahead(deps)
    if now is not None:
        due = list(islice(deps.state.agenda.take(now), AT_ONCE))
        await ending.withdraw(deps, [entry.key for entry in due if entry.kind == "claim"], now)
        await overdue_repositories.look(deps, [entry.key for entry in due if entry.kind == "repository"], now)
        for entry in due:
            if entry.kind == "retry":
                deps.state.runs.retry_is_due(entry.key)
            elif entry.kind == "pending_run":
                deps.state.pending_runs.is_due(entry.key)
        await firing.fire(deps, [entry.key for entry in due if entry.kind == "fire"], now)
    if deps.state.runs.capacity.hold_reason is None:
        await asking.ask(deps)
    await admitting.admit(deps)
    return None if now is None else deps.state.agenda.head() or datetime.max.replace(tzinfo=UTC)

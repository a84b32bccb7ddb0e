"""From what the book says to what is appended next. Safe to repeat, on any number of replicas."""

from datetime import UTC, datetime
from itertools import islice

from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers import admitting, asking, ending, firing, overdue_repositories, restarting

AT_ONCE = 256
"""Entries of the agenda that are worked off before runs are admitted again."""


async def decide(deps: Deps) -> datetime | None:
    """Append everything that follows from the book now; returns when the next thing is due, None while nobody knows.

    Raises:
        InfrastructureError: the log did not answer; what is left is done next time.
    """
    deps.forget()
    await ending.conclude(deps)
    await ending.cancel(deps)
    await restarting.go_on(deps)
    now = await deps.time.now()
    firing.plan_ahead(deps)
    if now is not None:
        due = list(islice(deps.book.agenda.take(now), AT_ONCE))
        await ending.withdraw(deps, [entry.key for entry in due if entry.kind == "claim"], now)
        await overdue_repositories.look(deps, [entry.key for entry in due if entry.kind == "repository"], now)
        for entry in due:
            if entry.kind == "retry":
                deps.book.runs.retry_is_due(entry.key)
            elif entry.kind == "wish":
                deps.book.wishes.is_due(entry.key)
        await firing.fire(deps, [entry.key for entry in due if entry.kind == "fire"], now)
    if not deps.book.runs.places.held:
        await asking.ask(deps)
    await admitting.admit(deps)
    return None if now is None else deps.book.agenda.head() or datetime.max.replace(tzinfo=UTC)

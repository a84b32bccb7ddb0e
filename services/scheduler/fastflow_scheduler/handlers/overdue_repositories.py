"""Repositories of which nothing was heard: first they are asked for, then it is told."""

import logging
from datetime import datetime, timedelta

from fastflow_events.aggregates.repository.events import RepositoryOverdue, RepositorySyncRequested
from fastflow_events.errors import ConcurrencyError
from fastflow_events.fact import Fact
from fastflow_events.message import beside

from fastflow_scheduler.core.agenda import Entry
from fastflow_scheduler.core.endings import NobodyAnswers, SyncsFail
from fastflow_scheduler.core.state.records import Watched
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers.appending import each

logger = logging.getLogger(__name__)

AGAIN = timedelta(seconds=60)
WHO = "scheduler"


async def look(deps: Deps, names: list[str], now: datetime) -> None:
    """Ask for a sync of what has been silent, and tell of what has been bad for too long."""

    async def one(name: str) -> None:
        known = deps.state.repositories.table.get(name)
        if known is None or known.overdue:
            return
        deps.state.agenda.set(Entry("repository", name), now + AGAIN)
        fact = _news(known, deps.state.repositories.bad_since(known))
        try:
            await deps.log.append(known.position, [fact], cause=known.cause)
        except ConcurrencyError:
            return
        logger.info("%s", fact.type_, extra={"action": "repository_watched", "repository": name})

    await each(deps, "repository", names, one)


def _news(known: Watched, bad: datetime | None) -> Fact:
    if bad is None:
        return RepositorySyncRequested(who=WHO)
    at = bad.isoformat(timespec="seconds").replace("+00:00", "Z")
    reason = SyncsFail(at) if known.failing_since == bad else NobodyAnswers(at)
    return RepositoryOverdue(since=bad, reason=str(reason), reason_message=beside(reason))

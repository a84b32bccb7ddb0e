"""Asking for a repository to be fetched now."""

from fastflow_events.absent import NoSuchRepository
from fastflow_events.aggregates.repository.commands import RequestSync
from fastflow_events.aggregates.repository.decider import repository_decider
from fastflow_events.errors import DomainError, NotFoundError
from fastflow_events.execute import execute
from fastflow_events.recorded import Cause
from msgspec import Struct

from fastflow_gateway.core.refusals import NoRepositoryYet
from fastflow_gateway.deps import Deps


class SyncAccepted(Struct, frozen=True, kw_only=True):
    """The request to fetch is in the log; the repository's row says when it was done."""

    repository: str
    seq: int


async def request_sync(deps: Deps, repository: str | None, *, who: str, cause: Cause) -> list[SyncAccepted]:
    """Ask for one repository, or for all that are watched.

    Raises:
        NotFoundError: nobody watches a repository of that name.
        DomainError: no repository is watched at all.
    """
    if repository is None:
        names = [row.name for row in await deps.rows.repositories()]
    elif (row := await deps.rows.repository(repository)) and row.status != "removed":
        names = [repository]
    else:
        raise NotFoundError(NoSuchRepository(), repository=repository)
    if not names:
        raise DomainError(NoRepositoryYet())
    accepted = []
    for name in names:
        [recorded] = await execute(deps.log, repository_decider, name, RequestSync(who=who), cause=cause)
        accepted.append(SyncAccepted(repository=name, seq=recorded.seq))
    return accepted

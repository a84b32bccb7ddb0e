"""Push hooks of Git hosts: a genuine message about a watched branch is a request to fetch, once."""

from collections.abc import Mapping

from fastflow_events.aggregates.repository.commands import RequestSync
from fastflow_events.aggregates.repository.decider import repository_decider
from fastflow_events.aggregates.repository.events import RepositorySyncRequested
from fastflow_events.errors import ContractError, NotFoundError
from fastflow_events.execute import execute
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause
from fastflow_rules.remote import Remote, remote, same_place

from fastflow_gateway.core.errors import NotGenuineError
from fastflow_gateway.core.push_hooks import Host, Push, delivery_of, is_genuine, read_push
from fastflow_gateway.core.refusals import NobodyWatches, NotGenuine
from fastflow_gateway.core.views.repositories import RepositoryRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.sync import SyncAccepted


async def take_push(
    deps: Deps, host: Host, headers: Mapping[str, str], body: bytes, *, cause: Cause
) -> list[SyncAccepted]:
    """Ask for every repository that watches what was pushed; a message that comes again changes nothing.

    Raises:
        NotGenuineError: nobody who knows a secret sent this, or no secret is set.
        InvalidBodyError: the message cannot be read.
        NotFoundError: nobody watches this repository.
        InfrastructureError: the log failed; the host sends the message again.
    """
    if not is_genuine(host, headers, body, deps.hook_secrets()):
        raise NotGenuineError(NotGenuine())
    push = read_push(host, headers, body)
    if push is None:
        return []
    watching = _watching(await deps.rows.repositories(), push)
    if not watching:
        raise NotFoundError(NobodyWatches(), url=push.urls[0] if push.urls else "")
    delivery = delivery_of(host, headers, body)
    return [await _ask(deps.log, row.name, host, delivery, cause) for row in watching if row.branch == push.branch]


def _watching(rows: list[RepositoryRow], push: Push) -> list[RepositoryRow]:
    pushed = [place for url in push.urls if (place := _place(url))]
    return [row for row in rows if (mine := _place(row.url)) and any(same_place(mine, place) for place in pushed)]


def _place(url: str) -> Remote | None:
    try:
        return remote(url)
    except ContractError:
        return None


async def _ask(log: EventLog, name: str, host: Host, delivery: str, cause: Cause) -> SyncAccepted:
    options = RequestSync(who=f"hook {host}", delivery=delivery)
    if recorded := await execute(log, repository_decider, name, options, cause=cause):
        return SyncAccepted(repository=name, seq=recorded[0].seq)
    history = (await log.load("repository", name)).recorded
    [first] = [r for r in history if isinstance(r.fact, RepositorySyncRequested) and r.fact.delivery == delivery][:1]
    return SyncAccepted(repository=name, seq=first.seq)

"""The rules of a repository: news is said once, a request is always answered."""

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.decider import Decider
from fastflow_events.fact import Fact
from fastflow_events.repository.commands import (
    CompleteSync,
    ConfigureRepository,
    FailSync,
    RepositoryCommand,
    RequestSync,
)
from fastflow_events.repository.events import (
    RepositoryConfigured,
    RepositorySynced,
    RepositorySyncFailed,
    RepositorySyncRequested,
)


class Repository(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a repository."""

    configured: RepositoryConfigured | None = None
    commit: str | None = None
    """Head of the last sync that succeeded."""
    pipelines: int = 0
    invalid: int = 0
    failure: str | None = None
    """Why the last sync failed; None after one that succeeded."""
    requests: int = 0
    answered: int = 0


def decide(command: RepositoryCommand, repository: Repository) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so". Never refuses."""
    match command:
        case ConfigureRepository(configured=configured):
            return [] if configured == repository.configured else [configured]
        case RequestSync(who=who):
            return [RepositorySyncRequested(who=who)]
        case CompleteSync():
            before = (repository.commit, repository.pipelines, repository.invalid, repository.failure)
            after = (command.commit, command.pipelines, command.invalid, None)
            if before == after and command.requests <= repository.answered:
                return []
            synced = RepositorySynced(
                commit=command.commit,
                previous=repository.commit,
                rewritten=command.rewritten,
                pipelines=command.pipelines,
                invalid=command.invalid,
                requests=max(command.requests, repository.answered),
            )
            return [synced]
        case FailSync(reason=reason, requests=requests):
            if reason == repository.failure and requests <= repository.answered:
                return []
            return [RepositorySyncFailed(reason=reason, requests=max(requests, repository.answered))]


def evolve(repository: Repository, fact: Fact) -> Repository:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case RepositoryConfigured():
            return replace(repository, configured=fact)
        case RepositorySyncRequested():
            return replace(repository, requests=repository.requests + 1)
        case RepositorySynced():
            return replace(
                repository,
                commit=fact.commit,
                pipelines=fact.pipelines,
                invalid=fact.invalid,
                failure=None,
                answered=max(repository.answered, fact.requests),
            )
        case RepositorySyncFailed():
            answered = max(repository.answered, fact.requests)
            return replace(repository, failure=fact.reason, answered=answered)
        case _:
            return repository


repository_decider: Decider[RepositoryCommand, Repository] = Decider(
    aggregate="repository", initial=Repository(), decide=decide, evolve=evolve
)

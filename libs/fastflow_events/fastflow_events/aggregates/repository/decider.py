"""The rules of a repository: news is said once, a request is always answered, the environment has the last word."""

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.absent import NoSuchRepository
from fastflow_events.aggregates.repository.commands import (
    CompleteSync,
    ConfigureRepository,
    FailSync,
    RemoveRepository,
    ReportOverdue,
    RepositoryCommand,
    RequestDeployKey,
    RequestSync,
    StoreDeployKey,
)
from fastflow_events.aggregates.repository.events import (
    RepositoryConfigured,
    RepositoryDeployKeyGenerated,
    RepositoryDeployKeyRequested,
    RepositoryOverdue,
    RepositoryRemoved,
    RepositorySynced,
    RepositorySyncFailed,
    RepositorySyncRequested,
)
from fastflow_events.decider import Decider
from fastflow_events.errors import DomainError, NotFoundError
from fastflow_events.fact import Fact
from fastflow_events.message import Message, Statement, all_beside, beside, retold

MAX_DELIVERIES = 1000
"""Deliveries that are remembered; an older one that comes again only causes one more sync."""


class Repository(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a repository."""

    configured: RepositoryConfigured | None = None
    removed: bool = False
    commit: str | None = None
    """Head of the last sync that succeeded."""
    pipelines: int = 0
    invalid: int = 0
    failure: str | None = None
    failure_message: Message | None = None
    """Why the last sync failed; None after one that succeeded."""
    requests: int = 0
    answered: int = 0
    overdue: bool = False
    """Somebody was told that nothing good was heard for too long."""
    deliveries: tuple[str, ...] = ()
    """The newest deliveries of push hooks, oldest first."""
    key_requests: int = 0
    key_answered: int = 0


class ConfiguredByEnvironmentError(DomainError):
    """The environment of git_sync says what this repository is; only it can change that."""

    code = "configured-by-environment"


class OfEnvironment(Statement, frozen=True, tag="repository.of_environment"):
    """Only who starts git_sync changes it."""

    english = "this repository is configured by the environment of git_sync"


def decide(command: RepositoryCommand, repository: Repository) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so".

    Raises:
        ConfiguredByEnvironmentError: the API may not touch this repository.
        NotFoundError: it is not watched.
    """
    match command:
        case ConfigureRepository() | RemoveRepository():
            return _configure(command, repository)
        case RequestSync(who=who, delivery=delivery):
            if repository.removed:
                raise NotFoundError(NoSuchRepository())
            again = delivery and delivery in repository.deliveries
            return [] if again else [RepositorySyncRequested(who=who, delivery=delivery)]
        case RequestDeployKey(who=who):
            if repository.configured is None:
                raise NotFoundError(NoSuchRepository())
            return [RepositoryDeployKeyRequested(who=who)]
        case StoreDeployKey(public_key=public_key, fingerprint=fingerprint, requests=requests):
            if requests <= repository.key_answered or repository.removed:
                return []
            return [RepositoryDeployKeyGenerated(public_key=public_key, fingerprint=fingerprint, requests=requests)]
        case ReportOverdue(since=since, reason=reason):
            is_settled = repository.overdue or repository.removed
            return (
                []
                if is_settled
                else [RepositoryOverdue(since=since, reason=str(reason), reason_message=beside(reason))]
            )
        case CompleteSync() | FailSync():
            other = command.configured is not None and not same(command.configured, repository.configured)
            return [] if repository.removed or other else _answer(command, repository)


def same(one: RepositoryConfigured | None, other: RepositoryConfigured | None) -> bool:
    """True when both say the same, whoever said it."""
    if one is None or other is None:
        return one is other
    return replace(one, who="") == replace(other, who="")


def evolve(repository: Repository, fact: Fact) -> Repository:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case RepositoryConfigured():
            before = repository.configured
            moved = before is None or (before.url, before.branch) != (fact.url, fact.branch)
            known = replace(repository, commit=None, failure=None) if moved else repository
            return replace(known, configured=fact, removed=False, overdue=False)
        case RepositoryRemoved():
            return replace(repository, configured=None, removed=True, commit=None, failure=None, pipelines=0, invalid=0)
        case RepositorySyncRequested():
            newest = (*repository.deliveries, fact.delivery) if fact.delivery else repository.deliveries
            return replace(repository, requests=repository.requests + 1, deliveries=newest[-MAX_DELIVERIES:])
        case RepositoryDeployKeyRequested():
            return replace(repository, key_requests=repository.key_requests + 1)
        case RepositoryDeployKeyGenerated():
            return replace(repository, key_answered=max(repository.key_answered, fact.requests))
        case RepositorySynced():
            return replace(
                repository,
                commit=fact.commit,
                pipelines=fact.pipelines,
                invalid=fact.invalid,
                failure=None,
                overdue=False,
                answered=max(repository.answered, fact.requests),
            )
        case RepositorySyncFailed():
            answered = max(repository.answered, fact.requests)
            return replace(repository, failure=fact.reason, failure_message=fact.reason_message, answered=answered)
        case RepositoryOverdue():
            return replace(repository, overdue=True)
        case _:
            return repository


def _configure(command: ConfigureRepository | RemoveRepository, repository: Repository) -> list[Fact]:
    by = command.by if isinstance(command, RemoveRepository) else command.configured.by
    theirs = repository.configured.by if repository.configured else by
    if by == "api" and theirs == "environment":
        raise ConfiguredByEnvironmentError(OfEnvironment())
    if isinstance(command, ConfigureRepository):
        return [] if same(command.configured, repository.configured) else [command.configured]
    if repository.configured is None or theirs != by:
        if by == "api":
            raise NotFoundError(NoSuchRepository())
        return []
    return [RepositoryRemoved(who=command.who)]


def _answer(command: CompleteSync | FailSync, repository: Repository) -> list[Fact]:
    waiting, answered = command.requests > repository.answered, max(command.requests, repository.answered)
    if isinstance(command, FailSync):
        reason, before = command.reason, repository.failure
        known = retold(before, repository.failure_message).message if before is not None else None
        failed = RepositorySyncFailed(reason=str(reason), reason_message=beside(reason), requests=answered)
        return [failed] if waiting or reason.message != known else []
    stood = (repository.commit, repository.pipelines, repository.invalid, repository.failure)
    news = waiting or repository.overdue or command.told_anyway
    if stood == (command.commit, command.pipelines, command.invalid, None) and not news:
        return []
    synced = RepositorySynced(
        commit=command.commit,
        previous=repository.commit,
        rewritten=command.rewritten,
        branch=command.branch,
        pipelines=command.pipelines,
        invalid=command.invalid,
        remarks=tuple(map(str, command.remarks)),
        remarks_messages=all_beside(command.remarks),
        requests=answered,
    )
    return [synced]


repository_decider: Decider[RepositoryCommand, Repository] = Decider(
    aggregate="repository", initial=Repository(), decide=decide, evolve=evolve
)

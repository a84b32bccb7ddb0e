"""A repository's news is said once, and every request to sync it is answered."""

import pytest
from fastflow_events.aggregates.repository.commands import (
    CompleteSync,
    ConfigureRepository,
    FailSync,
    RemoveRepository,
    RepositoryCommand,
    RequestDeployKey,
    RequestSync,
    StoreDeployKey,
)
from fastflow_events.aggregates.repository.decider import (
    MAX_DELIVERIES,
    ConfiguredByEnvironmentError,
    repository_decider,
)
from fastflow_events.aggregates.repository.events import (
    RepositoryConfigured,
    RepositoryDeployKeyGenerated,
    RepositoryRemoved,
    RepositorySynced,
    RepositorySyncFailed,
    RepositorySyncRequested,
)
from fastflow_events.errors import NotFoundError
from fastflow_events.fact import Fact
from fastflow_events.message import Verbatim
from msgspec.structs import replace

COMMIT, LATER = "a" * 40, "b" * 40
CONFIGURED = RepositoryConfigured(url="https://git.example/p", branch="main")
REQUESTED = RepositorySyncRequested(who="ann")
SYNCED = RepositorySynced(commit=COMMIT, pipelines=2)


def when(command: RepositoryCommand, given: list[Fact]) -> list[Fact]:
    return repository_decider.decide(command, repository_decider.fold(given))


def test_a_configuration_is_said_once_and_again_when_it_changes() -> None:
    other = RepositoryConfigured(url="https://git.example/p", branch="next")
    assert when(ConfigureRepository(configured=CONFIGURED), []) == [CONFIGURED]
    assert when(ConfigureRepository(configured=CONFIGURED), [CONFIGURED, SYNCED]) == []
    assert when(ConfigureRepository(configured=other), [CONFIGURED]) == [other]


def test_a_sync_without_news_that_nobody_asked_for_is_not_said() -> None:
    assert when(CompleteSync(commit=COMMIT, pipelines=2), [SYNCED]) == []


def test_a_new_head_is_said_with_the_previous_one() -> None:
    [fact] = when(CompleteSync(commit=LATER, pipelines=2, rewritten=True), [SYNCED])
    assert fact == RepositorySynced(commit=LATER, previous=COMMIT, pipelines=2, rewritten=True)


def test_a_request_is_answered_once_even_without_news() -> None:
    answer = CompleteSync(commit=COMMIT, pipelines=2, requests=1)
    [fact] = when(answer, [SYNCED, REQUESTED])
    assert isinstance(fact, RepositorySynced)
    assert fact.requests == 1
    assert when(answer, [SYNCED, REQUESTED, fact]) == []


def test_a_request_made_while_the_head_was_read_stays_unanswered() -> None:
    early = when(CompleteSync(commit=COMMIT, pipelines=2, requests=1), [SYNCED, REQUESTED, REQUESTED])
    late = CompleteSync(commit=COMMIT, pipelines=2, requests=2)
    assert len(when(late, [SYNCED, REQUESTED, REQUESTED, *early])) == 1


def test_a_failure_is_said_once_per_reason_and_to_everybody_who_asks() -> None:
    failed = RepositorySyncFailed(reason="host away")
    assert when(FailSync(reason=Verbatim("host away")), [SYNCED]) == [failed]
    assert when(FailSync(reason=Verbatim("host away")), [SYNCED, failed]) == []
    assert when(FailSync(reason=Verbatim("branch gone")), [SYNCED, failed]) == [
        RepositorySyncFailed(reason="branch gone")
    ]
    assert len(when(FailSync(reason=Verbatim("host away"), requests=1), [failed, REQUESTED])) == 1


def test_recovery_without_a_new_head_is_news() -> None:
    failed = RepositorySyncFailed(reason="host away")
    assert len(when(CompleteSync(commit=COMMIT, pipelines=2), [SYNCED, failed])) == 1


def test_a_loss_is_told_even_without_other_news() -> None:
    found = CompleteSync(commit=COMMIT, pipelines=2, remarks=(Verbatim("lost"),), told_anyway=True)
    [fact] = when(found, [SYNCED])
    assert isinstance(fact, RepositorySynced)
    assert fact.remarks == ("lost",)
    assert when(replace(found, told_anyway=False), [SYNCED]) == []


def test_every_request_counts() -> None:
    assert when(RequestSync(who="ann"), [REQUESTED]) == [REQUESTED]


BY_API = RepositoryConfigured(url="https://git.example/q", branch="main", by="api", who="ann")
REMOVED = RepositoryRemoved(who="ann")


def test_what_the_environment_says_cannot_be_changed_or_removed_by_the_api() -> None:
    with pytest.raises(ConfiguredByEnvironmentError):
        when(ConfigureRepository(configured=BY_API), [CONFIGURED])
    with pytest.raises(ConfiguredByEnvironmentError):
        when(RemoveRepository(by="api"), [CONFIGURED])
    assert when(ConfigureRepository(configured=CONFIGURED), [BY_API]) == [CONFIGURED]


def test_the_same_configuration_by_somebody_else_is_no_news() -> None:
    assert when(ConfigureRepository(configured=replace(BY_API, who="bob")), [BY_API]) == []


def test_a_repository_is_removed_once_by_whoever_configured_it() -> None:
    assert when(RemoveRepository(by="api", who="ann"), [BY_API]) == [REMOVED]
    assert when(RemoveRepository(by="environment"), [BY_API]) == []
    assert when(RemoveRepository(by="environment"), [CONFIGURED]) == [RepositoryRemoved()]
    for given in ([], [BY_API, REMOVED]):
        with pytest.raises(NotFoundError):
            when(RemoveRepository(by="api"), given)


def test_a_removed_repository_takes_no_wishes_and_no_outcome_until_it_is_configured_again() -> None:
    gone: list[Fact] = [BY_API, SYNCED, REMOVED]
    for command in (RequestSync(who="ann"), RequestDeployKey(who="ann")):
        with pytest.raises(NotFoundError):
            when(command, gone)
    assert when(CompleteSync(commit=LATER), gone) == []
    assert when(FailSync(reason=Verbatim("away")), gone) == []
    again = [*gone, BY_API]
    assert when(CompleteSync(commit=COMMIT, pipelines=2), again) == [RepositorySynced(commit=COMMIT, pipelines=2)]


def test_the_outcome_of_reading_what_is_not_watched_any_more_does_not_count() -> None:
    elsewhere = replace(CONFIGURED, url="https://git.example/elsewhere")
    assert when(CompleteSync(configured=CONFIGURED, commit=COMMIT), [CONFIGURED, elsewhere]) == []
    assert when(FailSync(configured=CONFIGURED, reason=Verbatim("away")), [CONFIGURED, elsewhere]) == []
    assert len(when(CompleteSync(configured=elsewhere, commit=COMMIT), [CONFIGURED, elsewhere])) == 1


def test_another_address_has_no_previous_head() -> None:
    elsewhere = replace(CONFIGURED, url="https://git.example/elsewhere")
    [fact] = when(CompleteSync(commit=LATER), [CONFIGURED, SYNCED, elsewhere])
    assert isinstance(fact, RepositorySynced)
    assert fact.previous is None


def test_a_delivery_that_comes_again_counts_once() -> None:
    push = RequestSync(who="github", delivery="d1")
    [fact] = when(push, [CONFIGURED])
    assert when(push, [CONFIGURED, fact]) == []
    assert len(when(replace(push, delivery="d2"), [CONFIGURED, fact])) == 1


def test_only_so_many_deliveries_are_remembered() -> None:
    pushes: list[Fact] = [RepositorySyncRequested(who="x", delivery=str(n)) for n in range(MAX_DELIVERIES + 5)]
    assert len(repository_decider.fold(pushes).deliveries) == MAX_DELIVERIES
    assert when(RequestSync(who="x", delivery=str(MAX_DELIVERIES)), pushes) == []


def test_a_deploy_key_is_made_once_for_each_who_asks() -> None:
    [asked] = when(RequestDeployKey(who="ann"), [CONFIGURED])
    store = StoreDeployKey(public_key="ssh-ed25519 AAAA", fingerprint="SHA256:x", requests=1)
    [made] = when(store, [CONFIGURED, asked])
    assert isinstance(made, RepositoryDeployKeyGenerated)
    assert when(store, [CONFIGURED, asked, made]) == []
    with pytest.raises(NotFoundError):
        when(RequestDeployKey(who="ann"), [])

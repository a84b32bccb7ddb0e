"""A repository's news is said once, and every request to sync it is answered."""

from fastflow_events.fact import Fact
from fastflow_events.repository.commands import (
    CompleteSync,
    ConfigureRepository,
    FailSync,
    RepositoryCommand,
    RequestSync,
)
from fastflow_events.repository.decider import repository_decider
from fastflow_events.repository.events import (
    RepositoryConfigured,
    RepositorySynced,
    RepositorySyncFailed,
    RepositorySyncRequested,
)

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
    assert when(FailSync(reason="host away"), [SYNCED]) == [failed]
    assert when(FailSync(reason="host away"), [SYNCED, failed]) == []
    assert when(FailSync(reason="branch gone"), [SYNCED, failed]) == [RepositorySyncFailed(reason="branch gone")]
    assert len(when(FailSync(reason="host away", requests=1), [failed, REQUESTED])) == 1


def test_recovery_without_a_new_head_is_news() -> None:
    failed = RepositorySyncFailed(reason="host away")
    assert len(when(CompleteSync(commit=COMMIT, pipelines=2), [SYNCED, failed])) == 1


def test_every_request_counts() -> None:
    assert when(RequestSync(who="ann"), [REQUESTED]) == [REQUESTED]

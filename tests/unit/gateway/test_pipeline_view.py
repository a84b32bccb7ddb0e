"""A pipeline's and a repository's row are pure folds of their facts."""

from collections.abc import Sequence

from fastflow_events.aggregates.pipeline.events import (
    PipelineChanged,
    PipelineInvalid,
    PipelinePaused,
    PipelineRemoved,
    PipelineResumed,
)
from fastflow_events.aggregates.repository.events import (
    RepositoryConfigured,
    RepositorySynced,
    RepositorySyncFailed,
    RepositorySyncRequested,
)
from fastflow_events.commit_about import CommitAbout
from fastflow_events.fact import Fact
from fastflow_events.recorded import Recorded
from fastflow_events.testing.builders import CAUSE, COMMIT, NOON, TREE, pipeline_discovered, version_stored
from fastflow_gateway.core.commits import shown
from fastflow_gateway.core.responses.pipelines import show_pipeline
from fastflow_gateway.core.responses.repositories import show_repository
from fastflow_gateway.core.views import repositories
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.pipelines import PipelineRow, fold
from fastflow_gateway.core.views.repositories import RepositoryRow

INVALID = PipelineInvalid(repository="main", commit=COMMIT, tree=TREE, errors=("timeout: found -1, allowed is 0",))
CHANGED = PipelineChanged(repository="main", commit="d" * 40, tree=TREE, definition={"description": "new"})


def recorded(aggregate: str, facts: Sequence[Fact]) -> list[Recorded]:
    return [
        Recorded(seq=n, aggregate=aggregate, id="x", version=n, at=NOON, source="/t", cause=CAUSE, fact=fact)
        for n, fact in enumerate(facts, start=1)
    ]


def row_after(*facts: Fact) -> PipelineRow:
    row = fold(recorded("pipeline", facts))
    assert row is not None
    return row


def repository_after(*facts: Fact) -> RepositoryRow:
    row: RepositoryRow | None = None
    for one in recorded("repository", facts):
        row = repositories.project(row, one)
    assert row is not None
    return row


def test_a_discovered_pipeline_is_ready() -> None:
    assert row_after(pipeline_discovered()).status == "ready"


def test_a_pipeline_that_says_so_is_disabled() -> None:
    assert row_after(pipeline_discovered(definition={"enabled": False})).status == "disabled"


def test_an_invalid_pipeline_shows_its_errors_and_no_definition() -> None:
    shown = show_pipeline(row_after(pipeline_discovered(definition={"description": "old"}), INVALID))
    assert (shown.status, shown.errors, shown.definition) == ("invalid", ["timeout: found -1, allowed is 0"], None)


def test_a_change_makes_an_invalid_pipeline_valid_again() -> None:
    shown = show_pipeline(row_after(INVALID, CHANGED))
    assert (shown.status, shown.errors, shown.commit) == ("ready", [], "d" * 40)


def test_a_removed_pipeline_keeps_its_row_and_a_new_discovery_brings_it_back() -> None:
    removed = PipelineRemoved(repository="main", commit=COMMIT)
    assert row_after(pipeline_discovered(), removed).status == "removed"
    assert row_after(pipeline_discovered(), removed, pipeline_discovered()).status == "ready"


def test_a_pause_outlives_a_change() -> None:
    assert row_after(pipeline_discovered(), PipelinePaused(who="ann"), CHANGED).paused == 1
    assert row_after(pipeline_discovered(), PipelinePaused(who="ann"), PipelineResumed(who="ann")).paused == 0


def test_a_pipeline_of_which_only_code_is_stored_has_no_row_yet() -> None:
    assert fold(recorded("pipeline", [version_stored()])) is None


def test_hashes_of_webhook_keys_are_not_shown() -> None:
    shown = show_pipeline(
        row_after(
            pipeline_discovered(definition={"webhook_hash": "h", "schedules": [{"id": "a", "webhook_hash": "h"}]})
        )
    )
    assert shown.definition == {"schedules": [{"id": "a"}]}


def test_of_sealed_variables_only_the_names_are_shown() -> None:
    sealed = {"sealed_env": {"TOKEN": "gAAAA"}, "env": {"A": "1"}}
    shown = show_pipeline(row_after(pipeline_discovered(definition={**sealed, "schedules": [{"id": "a", **sealed}]})))
    hidden = {"sealed_env": {"TOKEN": "***"}, "env": {"A": "1"}}
    assert shown.definition == {**hidden, "schedules": [{"id": "a", **hidden}]}


def test_a_repository_shows_its_last_reading() -> None:
    configured = RepositoryConfigured(url="file:///x", branch="main")
    row = repository_after(configured, RepositorySynced(commit=COMMIT, pipelines=3, invalid=1))
    assert (row.url, row.status, row.pipelines, row.invalid) == ("file:///x", "synced", 3, 1)


def test_a_repository_says_what_its_head_is_about() -> None:
    row = repository_after(
        RepositoryConfigured(url="git@github.com:team/jobs.git", branch="main"), RepositorySynced(commit=COMMIT)
    )
    about = CommitAbout(repository=row.name, subject="Fix | the tax", author="Ann", at=NOON)
    said = show_repository(row, shown(COMMIT, about, {row.name: row.url}))
    assert (said.commit_subject, said.commit_author, said.committed_at) == ("Fix | the tax", "Ann", text_of(NOON))
    assert said.commit_url == f"https://github.com/team/jobs/commit/{COMMIT}"
    assert said.web_url == "https://github.com/team/jobs"


def test_a_failed_reading_keeps_what_was_read_before() -> None:
    row = repository_after(RepositorySynced(commit=COMMIT, pipelines=3), RepositorySyncFailed(reason="no such host"))
    assert (row.status, row.reason, row.commit_sha, row.pipelines) == ("failed", "no such host", COMMIT, 3)


def test_wishes_to_fetch_are_counted_until_they_are_answered() -> None:
    asked = [RepositorySyncRequested(who="ann"), RepositorySyncRequested(who="bob")]
    row = repository_after(*asked)
    assert (row.requests, row.answered) == (2, 0)
    row = repository_after(*asked, RepositorySynced(commit=COMMIT, requests=1))
    assert (row.requests, row.answered) == (2, 1)
    row = repository_after(*asked, RepositorySyncFailed(reason="no such host", requests=2))
    assert (row.requests, row.answered) == (2, 2)


def test_a_wish_to_fetch_is_visible() -> None:
    assert repository_after(RepositorySynced(commit=COMMIT), RepositorySyncRequested(who="ann")).requested_seq == 2

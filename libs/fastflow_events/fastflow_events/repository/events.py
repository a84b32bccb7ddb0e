"""The facts of a repository; its id is its name."""

from fastflow_events.fact import Fact, wire
from fastflow_events.types import CommitSha


@wire("repository.configured.v1")
class RepositoryConfigured(Fact, frozen=True, kw_only=True):
    """The repository is watched."""

    url: str
    """Without credentials."""
    branch: str
    subfolder: str = ""


@wire("repository.sync_requested.v1")
class RepositorySyncRequested(Fact, frozen=True, kw_only=True):
    """Somebody wants the repository fetched now."""

    who: str


@wire("repository.synced.v1")
class RepositorySynced(Fact, frozen=True, kw_only=True):
    """The head was read and everything at it is in the log."""

    commit: CommitSha
    previous: CommitSha | None = None
    rewritten: bool = False
    """True when `previous` is no ancestor of `commit`."""
    pipelines: int = 0
    invalid: int = 0
    requests: int = 0
    """How many of the repository's sync requests, counted from the first, are answered by now."""


@wire("repository.sync_failed.v1")
class RepositorySyncFailed(Fact, frozen=True, kw_only=True):
    """The head could not be read; the last good definitions stay. Said once per reason."""

    reason: str
    requests: int = 0
    """How many of the repository's sync requests, counted from the first, are answered by now."""

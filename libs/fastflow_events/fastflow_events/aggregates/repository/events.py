"""The facts of a repository; its id is its name."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from fastflow_events.fact import Fact, wire
from fastflow_events.message import Message
from fastflow_events.types import CommitSha

ConfiguredBy: TypeAlias = Literal["environment", "api"]


class Credentials(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How git_sync proves who it is, without any secret: names of files it has, and ciphertext only it can open.

    Those of a repository configured by the environment stay in the environment.
    """

    user: str = ""
    """User name that goes with the token."""
    token_file: str = ""
    """Name of a file in git_sync's folder of secrets."""
    sealed_token: str = ""
    """`sealed:v1:…`, for git_sync's key."""
    ssh_key_file: str = ""
    """Name of a file in git_sync's folder of secrets; without it the deploy key is used, where there is one."""
    known_hosts: str = ""
    """Public keys of the SSH host, as lines of `known_hosts`."""


@wire("repository.configured.v1")
class RepositoryConfigured(Fact, frozen=True, kw_only=True):
    """The repository is watched."""

    url: str
    """Without credentials."""
    branch: str
    subfolder: str = ""
    by: ConfiguredBy = "environment"
    """What the environment says cannot be changed by the API."""
    credentials: Credentials = Credentials()
    who: str = ""


@wire("repository.removed.v1")
class RepositoryRemoved(Fact, frozen=True, kw_only=True):
    """The repository is not watched any more; its pipelines go with it, their runs and stored code stay."""

    who: str = ""


@wire("repository.deploy_key_requested.v1")
class RepositoryDeployKeyRequested(Fact, frozen=True, kw_only=True):
    """Somebody wants a new SSH key for this repository alone."""

    who: str


@wire("repository.deploy_key_generated.v1")
class RepositoryDeployKeyGenerated(Fact, frozen=True, kw_only=True):
    """git_sync has a new SSH key for this repository; the private half never leaves it."""

    public_key: str
    """The line to give to the Git host."""
    fingerprint: str
    requests: int
    """How many of the repository's requests for a key, counted from the first, are answered by now."""


@wire("repository.sync_requested.v1")
class RepositorySyncRequested(Fact, frozen=True, kw_only=True):
    """Somebody wants the repository fetched now."""

    who: str
    delivery: str = ""
    """What makes a push hook's message unique; the same one counts once."""


@wire("repository.synced.v1")
class RepositorySynced(Fact, frozen=True, kw_only=True):
    """The head was read and everything at it is in the log."""

    commit: CommitSha
    previous: CommitSha | None = None
    rewritten: bool = False
    """True when `previous` is no ancestor of `commit`."""
    branch: str = ""
    """The watched branch, whose head it is."""
    pipelines: int = 0
    invalid: int = 0
    remarks: tuple[str, ...] = ()
    remarks_messages: tuple[Message, ...] = ()
    """What was passed over and why, in sentences; at most twenty."""
    requests: int = 0
    """How many of the repository's sync requests, counted from the first, are answered by now."""


@wire("repository.overdue.v1")
class RepositoryOverdue(Fact, frozen=True, kw_only=True):
    """Nothing good was heard of the repository for too long: what runs may be old. Said once until it is synced."""

    since: datetime
    reason: str
    reason_message: Message | None = None
    """A sentence a person understands."""


@wire("repository.sync_failed.v1")
class RepositorySyncFailed(Fact, frozen=True, kw_only=True):
    """The head could not be read; the last good definitions stay. Said once per reason."""

    reason: str
    reason_message: Message | None = None
    requests: int = 0
    """How many of the repository's sync requests, counted from the first, are answered by now."""

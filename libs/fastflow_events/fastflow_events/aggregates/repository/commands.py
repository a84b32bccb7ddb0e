"""What may be asked of a repository."""

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from fastflow_events.aggregates.repository.events import ConfiguredBy, RepositoryConfigured
from fastflow_events.message import Statement


class ConfigureRepository(Struct, frozen=True, kw_only=True):
    """Watch the repository."""

    configured: RepositoryConfigured


class RemoveRepository(Struct, frozen=True, kw_only=True):
    """Watch it no more."""

    by: ConfiguredBy
    who: str = ""


class RequestSync(Struct, frozen=True, kw_only=True):
    """Fetch it now; every request counts, for something may have been pushed after the last one."""

    who: str
    delivery: str = ""
    """The same delivery counts once."""


class RequestDeployKey(Struct, frozen=True, kw_only=True):
    """Make a new SSH key for it."""

    who: str


class StoreDeployKey(Struct, frozen=True, kw_only=True):
    """The private half is stored where only git_sync reads it."""

    public_key: str
    fingerprint: str
    requests: int
    """Number of requests for a key that had been made before."""


class CompleteSync(Struct, frozen=True, kw_only=True):
    """The head was read and everything at it is in the log."""

    configured: RepositoryConfigured | None = None
    """What was read; the outcome of reading something else does not count. None is whatever is watched."""
    commit: str
    rewritten: bool = False
    branch: str = ""
    pipelines: int = 0
    invalid: int = 0
    remarks: tuple[Statement, ...] = ()
    told_anyway: bool = False
    """The remarks are news, whatever else is."""
    requests: int = 0
    """Number of sync requests that had been made before the head was read."""


class FailSync(Struct, frozen=True, kw_only=True):
    """The head could not be read."""

    configured: RepositoryConfigured | None = None
    """What could not be read."""
    reason: Statement
    requests: int = 0
    """Number of sync requests that had been made before the head was read."""


class ReportOverdue(Struct, frozen=True, kw_only=True):
    """Nothing good was heard of the repository for too long."""

    since: datetime
    reason: Statement


RepositoryCommand: TypeAlias = (
    ConfigureRepository
    | RemoveRepository
    | RequestSync
    | RequestDeployKey
    | StoreDeployKey
    | CompleteSync
    | FailSync
    | ReportOverdue
)

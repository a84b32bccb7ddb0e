"""What may be wished of a repository."""

from typing import TypeAlias

from msgspec import Struct

from fastflow_events.repository.events import RepositoryConfigured


class ConfigureRepository(Struct, frozen=True, kw_only=True):
    """Watch the repository."""

    configured: RepositoryConfigured


class RequestSync(Struct, frozen=True, kw_only=True):
    """Fetch it now; every wish counts, for something may have been pushed after the last one."""

    who: str


class CompleteSync(Struct, frozen=True, kw_only=True):
    """The head was read and everything at it is in the log."""

    commit: str
    rewritten: bool = False
    pipelines: int = 0
    invalid: int = 0
    requests: int = 0
    """Number of sync requests that had been made before the head was read."""


class FailSync(Struct, frozen=True, kw_only=True):
    """The head could not be read."""

    reason: str
    requests: int = 0
    """Number of sync requests that had been made before the head was read."""


RepositoryCommand: TypeAlias = ConfigureRepository | RequestSync | CompleteSync | FailSync

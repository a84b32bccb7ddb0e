"""Everything a handler may touch."""

from collections.abc import Callable

from fastflow_events.clock import Clock
from fastflow_events.log import EventLog
from fastflow_events.repository.events import RepositoryConfigured
from msgspec import Struct

from fastflow_git_sync.ports import Bundles, Pipelines, Repositories, Source


class Deps(Struct, frozen=True, kw_only=True):
    """What is open while the service runs."""

    repository: str
    """Name of the repository in facts."""
    configured: RepositoryConfigured
    log: EventLog
    source: Source
    bundles: Bundles
    pipelines: Pipelines
    repositories: Repositories
    clock: Clock
    new_id: Callable[[], str]
    judged: dict[str, tuple[str, str]]
    """Folder name to the tree that was judged last in this process, and the verdict."""

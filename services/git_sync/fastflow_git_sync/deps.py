"""Everything a handler may touch."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, TypeAlias

from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded
from fastflow_events.service.clock import Clock
from msgspec import Struct

from fastflow_git_sync.bell import Bell
from fastflow_git_sync.ports import Bundles, Keys, Pipelines, Repositories, Source

OpenSource: TypeAlias = Callable[[str, RepositoryConfigured], AbstractAsyncContextManager[Source]]


class Wanted(NamedTuple):
    """The version of a pipeline at a commit."""

    repository: str
    pipeline: str
    commit: str


class Repo(Struct, frozen=True, kw_only=True, eq=False):
    """One repository while it is open."""

    name: str
    configured: RepositoryConfigured
    source: Source
    judged: dict[str, tuple[str, str]]
    """Folder name to what was judged last in this process (its tree and what holds for all), and the verdict."""
    unseen: set[str]
    """Trees the object store had nothing of when it was asked; each is asked about again once it was stored."""


class Deps(Struct, frozen=True, kw_only=True):
    """What is open while the service runs."""

    log: EventLog
    bundles: Bundles
    pipelines: Pipelines
    repositories: Repositories
    keys: Keys
    open_source: OpenSource
    environment: Mapping[str, RepositoryConfigured]
    """What the environment says is watched."""
    here: dict[str, Repo]
    """The repositories that are open now."""
    bells: dict[str, Bell]
    """One for each repository that is watched."""
    looking: dict[Wanted, asyncio.Task[PipelineVersionStored | str]] = {}
    """What is being looked for, until somebody has asked for what was found."""
    slow: set[str] = set()
    """Repositories that let somebody wait for too long; nobody waits for them until they answer again."""
    clock: Clock
    new_id: Callable[[], str]

    def ring(self, repository: str, by: Recorded) -> None:
        """Have a repository read again because of a fact, if it is watched."""
        if bell := self.bells.get(repository):
            bell.ring(by)

    def forget(self, wanted: Wanted) -> None:
        """Look for it no more."""
        if task := self.looking.pop(wanted, None):
            task.cancel()

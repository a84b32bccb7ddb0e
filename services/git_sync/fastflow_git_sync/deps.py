"""Everything a handler may touch."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.log import EventLog
from fastflow_events.service.clock import Clock
from msgspec import Struct

from fastflow_git_sync.bell import Bells
from fastflow_git_sync.ports import Bundles, Commits, Keys, Pipelines, Repositories, Source
from fastflow_git_sync.searches import Searches

OpenSource: TypeAlias = Callable[[str, RepositoryConfigured], AbstractAsyncContextManager[Source]]


class Kept(Struct):
    """What was seen in this process of the bucket that says something of commits."""

    commits: set[str] = set()
    """Something is kept of them, or nothing can be."""
    is_whole: bool = False
    """All that the log knows were looked for."""


class Repo(Struct, frozen=True, kw_only=True, eq=False):
    """One repository while it is open."""

    name: str
    configured: RepositoryConfigured
    source: Source
    judged: dict[str, tuple[str, str]]
    """Folder name to what was judged last in this process (its tree and what holds for all), and the verdict."""
    unseen: set[str]
    """Trees the object store had nothing of when it was asked; each is asked about again once it was stored."""
    kept: Kept
    """Of what commits people can be shown something."""


class Deps(Struct, frozen=True, kw_only=True):
    """What is open while the service runs."""

    log: EventLog
    bundles: Bundles
    commits: Commits
    pipelines: Pipelines
    repositories: Repositories
    keys: Keys
    open_source: OpenSource
    open_once: OpenSource
    """The same for a look at what nobody watches: as if it were set over the API, and gone afterwards."""
    environment: Mapping[str, RepositoryConfigured]
    """What the environment says is watched."""
    here: dict[str, Repo]
    """The repositories that are open now."""
    bells: Bells
    """One for each repository that is watched."""
    searches: Searches
    checks: asyncio.Semaphore
    """Repositories that nobody watches and that are looked into at once."""
    clock: Clock
    new_id: Callable[[], str]

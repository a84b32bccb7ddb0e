"""git_sync as it is shipped, and the log as a test looks at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from fastflow_events.aggregates.pipeline.decider import Pipeline, pipeline_decider
from fastflow_events.aggregates.repository.commands import ConfigureRepository, RepositoryCommand, RequestSync
from fastflow_events.aggregates.repository.decider import Repository, repository_decider
from fastflow_events.aggregates.repository.events import RepositoryConfigured, RepositorySynced
from fastflow_events.aggregates.run.commands import RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.execute import execute
from fastflow_events.fact import Fact
from fastflow_events.log import EventLog
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_events.testing.eventually import eventually

from fastflow_git_sync.app import build
from fastflow_git_sync.settings import GitSyncSettings

F = TypeVar("F", bound=Fact)
WITHIN_S = 60.0
"""Machines that test have other things to do as well."""


@asynccontextmanager
async def running(settings: GitSyncSettings) -> AsyncIterator[None]:
    """Run the service while the block runs."""
    app = build(settings)
    task = asyncio.create_task(app.run())
    try:
        yield
    finally:
        app.exit()
        await task


class Bus:
    """What a test asks the log, and does to it."""

    def __init__(self, log: EventLog, settings: GitSyncSettings) -> None:
        self.log = log
        self.settings = settings

    @classmethod
    def watching(cls, git_url: str, log: EventLog, nats_url: str, home: Path) -> "Bus":
        """One whose git_sync watches a repository, and looks only when it is asked to."""
        settings = GitSyncSettings(nats_url=nats_url, instance="test", home=home, git_url=git_url, poll_every_s=0)
        return cls(log, settings)

    async def facts(self, aggregate: str, id: str) -> list[Fact]:
        """Every fact of one aggregate."""
        return list((await self.log.load(aggregate, id)).facts)

    async def kinds(self, name: str) -> list[str]:
        """The types of a pipeline's facts, in order."""
        return [type(fact).__name__.removeprefix("Pipeline") for fact in await self.facts("pipeline", name)]

    async def pipeline_state(self, name: str) -> Pipeline:
        """A pipeline as it is now."""
        return pipeline_decider.fold(await self.facts("pipeline", name))

    async def state(self, repository: str = "main") -> Repository:
        """A repository as it is now."""
        return repository_decider.fold(await self.facts("repository", repository))

    async def pipeline(self, name: str, type_: type[F]) -> F:
        """The newest fact of this type, once there is one."""

        async def found() -> list[F]:
            return [fact for fact in await self.facts("pipeline", name) if isinstance(fact, type_)]

        return (await eventually(found, within_s=WITHIN_S))[-1]

    async def stored(self, name: str, commit: str) -> None:
        """Return once the version of a pipeline at a commit is stored."""

        async def said() -> bool:
            return commit in (await self.pipeline_state(name)).versions

        await eventually(said, within_s=WITHIN_S)

    async def phase(self, name: str, wanted: str) -> Pipeline:
        """The pipeline, once it is runnable, invalid or absent."""

        async def found() -> Pipeline | None:
            state = await self.pipeline_state(name)
            return state if state.phase == wanted else None

        state = await eventually(found, within_s=WITHIN_S)
        assert state is not None
        return state

    async def synced(self, commit: str, repository: str = "main", *, within_s: float = WITHIN_S) -> RepositorySynced:
        """The fact that says the head was this commit, once it is the newest."""

        async def newest() -> list[RepositorySynced]:
            facts = await self.facts("repository", repository)
            found = [fact for fact in facts if isinstance(fact, RepositorySynced)]
            return [fact for fact in found[-1:] if fact.commit == commit]

        return (await eventually(newest, within_s=within_s))[0]

    async def failed(self, words: str, repository: str = "main") -> str:
        """Why the repository could not be read, once the reason holds these words."""

        async def reason() -> str:
            return (await self.state(repository)).failure or ""

        async def said() -> bool:
            return words in await reason()

        await eventually(said, within_s=WITHIN_S)
        return await reason()

    async def command(self, command: RepositoryCommand, repository: str = "main") -> None:
        """Record what somebody wants of a repository."""
        await execute(self.log, repository_decider, repository, command, cause=CAUSE)

    async def configure(self, repository: str, url: str, **more: Any) -> None:
        """Watch a repository over the API."""
        configured = RepositoryConfigured(**{"url": url, "branch": "main", "by": "api", "who": "ann", **more})
        await self.command(ConfigureRepository(configured=configured), repository)

    async def sync(self, repository: str = "main") -> None:
        """Ask for a sync and wait for its answer."""
        await self.command(RequestSync(who="ann"), repository)

        async def answered() -> bool:
            state = await self.state(repository)
            return state.requests == state.answered

        await eventually(answered, within_s=WITHIN_S)

    async def ask_for_run(self, run_id: str, commit: str | None, pipeline: str = "hello") -> None:
        """Ask for a run of a pipeline at a commit."""
        request = run_requested(commit=commit, pipeline=pipeline)
        await execute(self.log, run_decider, run_id, RequestRun(request=request), cause=CAUSE)

"""git_sync running, and the log it writes to, for tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from fastflow_events.execute import execute
from fastflow_events.fact import Fact
from fastflow_events.jetstream_log import JetStreamLog
from fastflow_events.repository.commands import RequestSync
from fastflow_events.repository.decider import repository_decider
from fastflow_events.repository.events import RepositorySynced
from fastflow_events.run.commands import RequestRun
from fastflow_events.run.decider import run_decider
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_events.testing.eventually import eventually

from fastflow_git_sync.app import build
from fastflow_git_sync.settings import GitSyncSettings

F = TypeVar("F", bound=Fact)


class Bus:
    """The log as a test of git_sync looks at it."""

    def __init__(self, log: JetStreamLog, settings: GitSyncSettings) -> None:
        self.log = log
        self.settings = settings

    async def facts(self, aggregate: str, id: str) -> list[Fact]:
        """Every fact of one aggregate, oldest first."""
        return list((await self.log.load(aggregate, id)).facts)

    async def pipeline(self, name: str, type_: type[F]) -> F:
        """The newest fact of this type, once there is one."""

        async def found() -> list[F]:
            return [fact for fact in await self.facts("pipeline", name) if isinstance(fact, type_)]

        return (await eventually(found))[-1]

    async def synced(self, commit: str) -> RepositorySynced:
        """The fact that says the head was this commit, once it is the newest."""

        async def newest() -> list[RepositorySynced]:
            found = [fact for fact in await self.facts("repository", "main") if isinstance(fact, RepositorySynced)]
            return [fact for fact in found[-1:] if fact.commit == commit]

        return (await eventually(newest))[0]

    async def sync(self) -> None:
        """Ask for a sync and wait for its answer."""
        await execute(self.log, repository_decider, "main", RequestSync(who="ann"), cause=CAUSE)

        async def answered() -> bool:
            state = repository_decider.fold(await self.facts("repository", "main"))
            return state.requests == state.answered

        await eventually(answered)

    async def ask_for_run(self, run_id: str, commit: str | None, pipeline: str = "hello") -> None:
        """Request a run, as a gateway would."""
        request = run_requested(commit=commit, pipeline=pipeline)
        await execute(self.log, run_decider, run_id, RequestRun(request=request), cause=CAUSE)


@asynccontextmanager
async def running(settings: GitSyncSettings) -> AsyncIterator[None]:
    """The service as it is shipped, running while the block runs."""
    app = build(settings)
    task = asyncio.create_task(app.run())
    try:
        yield
    finally:
        app.exit()
        await task

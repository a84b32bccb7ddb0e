"""Which repositories are open: those that facts say are watched, each with a loop of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastflow_events.aggregates.repository.commands import ConfigureRepository, RemoveRepository, StoreDeployKey
from fastflow_events.aggregates.repository.decider import Repository, same
from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.errors import FastflowError
from fastflow_events.recorded import Cause
from fastflow_events.service.tasks import ended, turned

from fastflow_git_sync import handlers
from fastflow_git_sync.bell import Bell, pause_s
from fastflow_git_sync.core.faults import NotOpened
from fastflow_git_sync.deps import Deps, Kept, Repo
from fastflow_git_sync.ports import GitError
from fastflow_git_sync.recording import record_repository

logger = logging.getLogger(__name__)

Poll = Callable[[Deps, Repo, Bell], Awaitable[None]]
RETRY_AFTER_S = 1.0


class Watch:
    """Opens and closes repositories as facts come in."""

    def __init__(self, deps: Deps, poll: Poll) -> None:
        self._deps = deps
        self._poll = poll
        self._open: dict[str, tuple[RepositoryConfigured, asyncio.Task[None]]] = {}
        self._said = False

    async def run(self) -> None:
        """Follow the facts until cancelled."""
        seen = 0
        try:
            while True:
                try:
                    if not self._said:
                        await self._say_environment()
                        self._said = True
                    await self._reconcile()
                    turned()
                except Exception:  # the loop is the last line of defence: report, wait, go on
                    logger.exception("repositories not followed", extra={"action": "watch_broke_off"})
                    await asyncio.sleep(RETRY_AFTER_S)
                    continue
                seen = await self._deps.repositories.moved(seen)
        finally:
            for name in list(self._open):
                await self._close(name)

    async def _say_environment(self) -> None:
        """Say what the environment says, when that is news; what it does not say any more is removed."""
        deps, cause = self._deps, self._cause()
        for name, configured in deps.environment.items():
            await record_repository(deps, name, ConfigureRepository(configured=configured), cause)
        for name, state in (await deps.repositories.all()).items():
            if name not in deps.environment and state.configured and state.configured.by == "environment":
                await record_repository(deps, name, RemoveRepository(by="environment"), cause)

    async def _reconcile(self) -> None:
        states = await self._deps.repositories.all()
        for name, state in states.items():
            now = self._open.get(name)
            if now and not same(now[0], state.configured):
                await self._close(name)
            if state.removed:
                await self._forget(name)
            elif state.configured and await self._made_key(name, state):
                await self._close(name)  # it is opened again with the new key
            if state.configured and name not in self._open:
                self._open_now(name, state.configured, state.requests)
            if (bell := self._deps.bells.get(name)) and state.requests > state.answered:
                bell.ring_for(state.requests)  # whoever rang while the repository was opened anew was not heard

    def _open_now(self, name: str, configured: RepositoryConfigured, requests: int) -> None:
        self._deps.bells[name] = Bell(requests)
        self._open[name] = (configured, asyncio.create_task(self._serve(name, configured)))

    async def _close(self, name: str) -> None:
        if opened := self._open.pop(name, None):
            self._deps.bells.pop(name, None)
            await ended([opened[1]])
            if not opened[1].cancelled():
                opened[1].result()

    async def _forget(self, name: str) -> None:
        await handlers.forget(self._deps, name, self._cause())
        await self._deps.keys.forget(name)

    async def _made_key(self, name: str, state: Repository) -> bool:
        """True when somebody wanted a deploy key and there is a new one now."""
        if state.key_requests <= state.key_answered or state.configured is None:
            return False
        try:
            public_key, fingerprint = await self._deps.keys.new_deploy_key(name, state.configured.url)
        except GitError as exc:
            await handlers.fail(self._deps, name, exc.statement, self._cause(), requests=state.answered)
            return False
        store = StoreDeployKey(public_key=public_key, fingerprint=fingerprint, requests=state.key_requests)
        return await record_repository(self._deps, name, store, self._cause())

    async def _serve(self, name: str, configured: RepositoryConfigured) -> None:
        """Keep one repository open and read; what keeps it from being opened is said, and tried again."""
        deps, bell, failures = self._deps, self._deps.bells[name], 0
        while True:
            try:
                async with deps.open_source(name, configured) as source:
                    repo = Repo(name=name, configured=configured, source=source, judged={}, unseen=set(), kept=Kept())
                    deps.here[name] = repo
                    try:
                        await self._poll(deps, repo, bell)
                    finally:
                        deps.here.pop(name, None)
            except (FastflowError, OSError) as exc:
                bell.take()
                reason = exc.statement if isinstance(exc, GitError) else NotOpened(str(exc))
                with suppress(FastflowError):
                    requests = (await deps.repositories.known(name)).state.requests
                    await handlers.fail(deps, name, reason, self._cause(), requests=requests)
            failures += 1
            await bell.wait(pause_s(failures, 0))

    def _cause(self) -> Cause:
        return Cause(correlation_id=self._deps.new_id())

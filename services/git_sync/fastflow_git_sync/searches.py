"""Versions that are being looked for: one search for each, whoever asks, and no repository waits for another."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.message import Statement

from fastflow_git_sync.core.faults import NotAnsweredYet, TooManyLookups
from fastflow_git_sync.ports import GitError

WAIT_S = 5.0
"""How long others wait behind a repository that is asked; after that it is asked beside them."""
AT_ONCE = 100
"""Commits that are looked for, of all repositories together."""


class Wanted(NamedTuple):
    """The version of a pipeline at a commit."""

    repository: str
    pipeline: str
    commit: str


class Searches:
    """What is being looked for, until somebody has asked for what was found."""

    def __init__(self) -> None:
        self._tasks: dict[Wanted, asyncio.Task[PipelineVersionStored | Statement]] = {}
        self._slow: set[str] = set()
        """Repositories that let somebody wait for too long; nobody waits for them until they answer again."""

    async def result(
        self, wanted: Wanted, find: Callable[[], Coroutine[Any, Any, PipelineVersionStored | Statement]]
    ) -> PipelineVersionStored | Statement:
        """What `find` returns, which goes on while others are asked for.

        Raises:
            GitError: the repository cannot be asked, or is not done yet; whoever asks again finds what was found
                meanwhile.
        """
        task = self._tasks.get(wanted)
        if task is None:
            if len(self._tasks) >= AT_ONCE:
                raise GitError(TooManyLookups())
            task = self._tasks[wanted] = asyncio.create_task(find())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever asked may be gone
        done, _ = await asyncio.wait({task}, timeout=0 if wanted.repository in self._slow else WAIT_S)
        if not done:
            self._slow.add(wanted.repository)
            raise GitError(NotAnsweredYet(wanted.repository))
        self._slow.discard(wanted.repository)
        self.forget(wanted)
        return task.result()

    def forget(self, wanted: Wanted) -> None:
        """Look for it no more."""
        if task := self._tasks.pop(wanted, None):
            task.cancel()

    def close(self) -> None:
        """Look for nothing any more."""
        for wanted in list(self._tasks):
            self.forget(wanted)

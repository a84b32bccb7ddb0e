"""An executor that is asked again while its engine fails."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal

from fastflow_events.aggregates.run.specification import Specification

from fastflow_runner.core.adoption import Verified
from fastflow_runner.core.usage import Usage
from fastflow_runner.ports import AttemptRef, Executor, Exit, Found, Frame, Launch, Prepared, Started
from fastflow_runner.retrying import retry


class RetryingExecutor:
    """Another executor, and the patience with it.

    | call | is asked again |
    |---|---|
    | `started` `wait` `stop` `remove` | until it answers: what user code does is known, and what was made is removed |
    | `has_code` `stage_code` `prepare` | for `retry_for_s`, unless somebody has to do something first |
    | all others | never: they belong to loops, and `launch` to a phase that has to know what became of it |
    """

    def __init__(self, executor: Executor, *, retry_for_s: float) -> None:
        self._executor = executor
        self._retry_for_s = retry_for_s

    async def started(self, ref: AttemptRef) -> Started | None:
        """What is known of an attempt's start."""
        return await retry(lambda: self._executor.started(ref), what="asking whether it started")

    async def wait(self, ref: AttemptRef, nonce: str) -> Exit:
        """How the attempt ended."""
        return await retry(lambda: self._executor.wait(ref, nonce), what="waiting for the end")

    async def stop(self, ref: AttemptRef, *, grace_s: float) -> None:
        """End the attempt."""
        await retry(lambda: self._executor.stop(ref, grace_s=grace_s), what="stopping the attempt")

    async def remove(self, ref: AttemptRef, *, retry_for_s: float | None = None) -> None:
        """Forget the attempt; with `retry_for_s` it may stay for later.

        Raises:
            InfrastructureError: it is still there after `retry_for_s`.
        """
        await retry(lambda: self._executor.remove(ref), what="removing the attempt", retry_for_s=retry_for_s)

    async def has_code(self, tree: str) -> bool:
        """True when the tree is staged completely."""
        return await retry(
            lambda: self._executor.has_code(tree), what="looking for the code", retry_for_s=self._retry_for_s
        )

    async def stage_code(self, tree: str, bundle: bytes) -> None:
        """Make the bundle available."""
        await retry(
            lambda: self._executor.stage_code(tree, bundle), what="staging the code", retry_for_s=self._retry_for_s
        )

    async def prepare(
        self, specification: Specification, lock: str | None, *, generation: int = 0, within_s: float | None = None
    ) -> Prepared:
        """Return the environment."""
        return await retry(
            lambda: self._executor.prepare(specification, lock, generation=generation, within_s=within_s),
            what="preparing the environment",
            retry_for_s=self._retry_for_s,
        )

    @property
    def kind(self) -> Literal["docker", "process"]:
        """Which one it is."""
        return self._executor.kind

    async def keep(self) -> None:
        """Do what goes on beside the attempts."""
        await self._executor.keep()

    async def engine_id(self) -> str:
        """Id of the engine."""
        return await self._executor.engine_id()

    async def give_up(self, specification: Specification, lock: str | None, *, generation: int = 0) -> None:
        """Nobody waits for the environment any more."""
        await self._executor.give_up(specification, lock, generation=generation)

    async def delete(self, environments: Sequence[str]) -> dict[str, int]:
        """Delete environments."""
        return await self._executor.delete(environments)

    async def verify(self, only: str = "") -> Verified:
        """Look at every byte of what lies ready."""
        return await self._executor.verify(only)

    async def delete_code(self, trees: Sequence[str]) -> None:
        """Delete staged code."""
        await self._executor.delete_code(trees)

    async def launch(self, launch: Launch) -> Started:
        """Start user code, or find it started."""
        return await self._executor.launch(launch)

    async def found(self) -> list[Found]:
        """Every attempt on the engine."""
        return await self._executor.found()

    def frames(self, ref: AttemptRef, *, skip: int, follow: bool) -> AsyncIterator[Frame]:
        """Output of the attempt."""
        return self._executor.frames(ref, skip=skip, follow=follow)

    def usages(self, ref: AttemptRef) -> AsyncIterator[Usage]:
        """What the attempt uses."""
        return self._executor.usages(ref)

    def kept(self, ref: AttemptRef) -> AsyncIterator[tuple[int, bytes]]:
        """Content of the attempt's artifacts."""
        return self._executor.kept(ref)

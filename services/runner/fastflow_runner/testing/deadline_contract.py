# ruff: noqa: D102 - the names of tests are sentences
"""What every executor does with packages whose build never ends."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256

import pytest
from fastflow_events.aggregates.run.specification import Requirements, Specification
from msgspec import structs

from fastflow_runner.ports import DependencyError, Executor, Prepared
from fastflow_runner.testing.builders import a_specification, bundle_of
from fastflow_runner.testing.executor_contract import eventually
from fastflow_runner.testing.tiny_packages import building

WITHIN_S = 120.0
FOR_EVER = "import time\ntime.sleep(3600)"


async def with_a_build(executor: Executor, does: str) -> Specification:
    """A script that wants a package of its own folder, whose build does something first."""
    tree, bundle = bundle_of({"main.py": "", "requirements.txt": "./lib\n", **building("sleepy", does)})
    await executor.stage_code(tree, bundle)
    wanted = Requirements(source="requirements", text="./lib\n", sha256=sha256(tree.encode()).hexdigest())
    return structs.replace(a_specification(tree), requirements=wanted)


class DeadlineContract:
    """Needs a fixture `executor`."""

    async def builds(self) -> int:
        """How many builds are under way."""
        raise NotImplementedError

    async def until(self, number: int) -> None:
        async def there() -> bool:
            return await self.builds() == number

        await eventually(there, within_s=WITHIN_S)

    async def sleeping(
        self, executor: Executor, comment: str, within_s: float | None = None
    ) -> tuple[Specification, Callable[[], Awaitable[Prepared]]]:
        specification = await with_a_build(executor, f"{FOR_EVER}  # {comment}")
        return specification, lambda: executor.prepare(specification, None, within_s=within_s)

    async def test_a_build_that_sleeps_is_ended_when_its_time_is_over(self, executor: Executor) -> None:
        _, prepare = await self.sleeping(executor, "for ever", within_s=5.0)
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(DependencyError, match="it took longer than 5 s, and was ended"):
                await prepare()
        await self.until(0)

    async def test_a_build_that_nobody_waits_for_any_more_is_ended(self, executor: Executor) -> None:
        specification, prepare = await self.sleeping(executor, "for one")
        asking = asyncio.ensure_future(prepare())
        await self.until(1)
        asking.cancel()
        await asyncio.wait({asking})
        await executor.give_up(specification, None)
        await self.until(0)

    async def test_a_build_that_somebody_waits_for_still_goes_on(self, executor: Executor) -> None:
        specification, prepare = await self.sleeping(executor, "for two")
        first, second = asyncio.ensure_future(prepare()), asyncio.ensure_future(prepare())
        await self.until(1)
        for asking, left in ((first, 1), (second, 0)):
            asking.cancel()
            await asyncio.wait({asking})
            await executor.give_up(specification, None)
            await self.until(left)

# ruff: noqa: D102 - the names of tests are sentences
"""The order of calls that the port `Executor` tells, on every executor: what each state answers."""

import asyncio
from typing import NamedTuple

from fastflow_runner.ports import Executor, Found, Launch, Started
from fastflow_runner.testing.executor_contract import WITHIN_S, eventually, read_all
from fastflow_runner.testing.turns_contract import TurnsContract

UNTIL_TOLD = """
import os, signal, sys, time
signal.signal(15, lambda *_: sys.exit(7))
open(os.path.join(os.environ["FASTFLOW_ARTIFACTS_DIR"], "left"), "w").write("left")
print("on", flush=True)
time.sleep(600)
"""


async def runs_once(executor: Executor, launch: Launch, *, within_s: float = WITHIN_S) -> None:
    """See a launch of `print('once')` through: however it was begun before, it is executed once, and removed."""
    async with asyncio.timeout(within_s):
        started = await executor.launch(launch)
        end = await executor.wait(launch.ref, launch.nonce)
        assert (await read_all(executor, launch))[0] == b"once\n"
        assert (end.exit_code, end.marker_code) == (0, 0)
        assert await executor.launch(launch) == started
        assert (await read_all(executor, launch))[0] == b"once\n"
        await executor.remove(launch.ref)


class Answers(NamedTuple):
    """What may be asked in every state."""

    found: str | None
    started: Started | None
    output: bytes


class OrderContract(TurnsContract):
    """Needs a fixture `executor`."""

    async def answers(self, executor: Executor, launch: Launch) -> Answers:
        here: list[Found] = [found for found in await executor.found() if found.ref == launch.ref]
        out, _ = await read_all(executor, launch, follow=False)
        return Answers(here[0].state if here else None, await executor.started(launch.ref), out)

    async def is_absent(self, executor: Executor, launch: Launch) -> None:
        assert await self.answers(executor, launch) == Answers(None, None, b"")
        await executor.stop(launch.ref, grace_s=0)
        await executor.remove(launch.ref)
        end = await executor.wait(launch.ref, launch.nonce)
        assert (end.exit_code, end.marker_code) == (None, None)
        assert [usage async for usage in executor.usages(launch.ref)] == []
        assert [piece async for piece in executor.kept(launch.ref)] == []

    async def test_an_attempt_goes_from_absent_to_running_to_exited_and_is_absent_again(
        self, executor: Executor
    ) -> None:
        launch = await self.a_launch(executor, UNTIL_TOLD)
        async with asyncio.timeout(WITHIN_S):
            await self.is_absent(executor, launch)

            started = await executor.launch(launch)
            running = Answers("running", started, b"on\n")

            async def runs() -> bool:
                return await self.answers(executor, launch) == running

            await eventually(runs)
            assert await executor.launch(launch) == started
            async for usage in executor.usages(launch.ref):
                assert usage.memory_bytes > 0
                break

            await executor.stop(launch.ref, grace_s=30)
            end = await executor.wait(launch.ref, launch.nonce)
            assert (end.marker_code, [path for path, _ in end.kept]) == (7, ["left"])
            assert await self.answers(executor, launch) == Answers("exited", started, b"on\n")
            assert b"".join([data async for _, data in executor.kept(launch.ref)]) == b"left"
            again = await executor.wait(launch.ref, launch.nonce)
            assert (again.marker_code, again.kept) == (end.marker_code, end.kept)
            assert await executor.launch(launch) == started, "what has ended is not started again"
            await executor.stop(launch.ref, grace_s=0)
            assert await self.answers(executor, launch) == Answers("exited", started, b"on\n")

            await executor.remove(launch.ref)
            await self.is_absent(executor, launch)

    async def test_a_removal_ends_what_still_runs(self, executor: Executor) -> None:
        launch = await self.a_launch(executor, UNTIL_TOLD)
        async with asyncio.timeout(WITHIN_S):
            await executor.launch(launch)
            await executor.remove(launch.ref)
            await self.is_absent(executor, launch)

"""Who is asked again for how long, when the engine fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

import pytest
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import InfrastructureError
from fastflow_runner.core.adoption import Verified
from fastflow_runner.core.usage import Usage
from fastflow_runner.ports import AttemptRef, Executor, Exit, Found, Frame, ImageMissingError, Launch, Prepared, Started
from fastflow_runner.retrying_executor import RetryingExecutor
from fastflow_runner.testing.builders import a_launch, a_specification

REF = AttemptRef(run_id="r1", attempt=1)
SPECIFICATION = a_specification("0" * 40)
PREPARED = Prepared(environment="e", interpreter="python", python="3.11", uv="1")
LAUNCH = a_launch(SPECIFICATION, PREPARED)
Call = Callable[[Executor], Awaitable[object]]


class Failing:
    """An engine that fails the first time it is asked."""

    kind: Literal["docker", "process"] = "process"

    def __init__(self, failure: Exception) -> None:
        self.failure = failure
        self.asked: list[str] = []

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.asked.count(what) == 1:
            raise self.failure

    async def keep(self) -> None:
        self._ask("keep")

    async def engine_id(self) -> str:
        self._ask("engine_id")
        return "engine"

    async def stage_code(self, tree: str, bundle: bytes) -> None:
        self._ask("stage_code")

    async def has_code(self, tree: str) -> bool:
        self._ask("has_code")
        return True

    async def prepare(
        self, specification: Specification, lock: str | None, *, generation: int = 0, within_s: float | None = None
    ) -> Prepared:
        self._ask("prepare")
        return PREPARED

    async def give_up(self, specification: Specification, lock: str | None, *, generation: int = 0) -> None:
        self._ask("give_up")

    async def delete(self, environments: Sequence[str]) -> dict[str, int]:
        self._ask("delete")
        return {}

    async def verify(self, only: str = "") -> Verified:
        self._ask("verify")
        raise AssertionError("asked twice")

    async def delete_code(self, trees: Sequence[str]) -> None:
        self._ask("delete_code")

    async def launch(self, launch: Launch) -> Started:
        self._ask("launch")
        raise AssertionError("asked twice")

    async def found(self) -> list[Found]:
        self._ask("found")
        return []

    async def started(self, ref: AttemptRef) -> Started | None:
        self._ask("started")
        return None

    async def frames(self, ref: AttemptRef, *, skip: int, follow: bool) -> AsyncIterator[Frame]:
        self._ask("frames")
        yield Frame(index=0, stream="stdout", at=datetime.now(UTC), data=b"")

    async def usages(self, ref: AttemptRef) -> AsyncIterator[Usage]:
        self._ask("usages")
        yield Usage(at=datetime.now(UTC), cpu_s=0, memory_bytes=0)

    async def kept(self, ref: AttemptRef) -> AsyncIterator[tuple[int, bytes]]:
        self._ask("kept")
        yield 0, b""

    async def wait(self, ref: AttemptRef, nonce: str) -> Exit:
        self._ask("wait")
        return Exit(exit_code=0)

    async def stop(self, ref: AttemptRef, *, grace_s: float) -> None:
        self._ask("stop")

    async def remove(self, ref: AttemptRef) -> None:
        self._ask("remove")


MUST_COME_ABOUT: dict[str, Call] = {
    "started": lambda executor: executor.started(REF),
    "wait": lambda executor: executor.wait(REF, "nonce"),
    "stop": lambda executor: executor.stop(REF, grace_s=0),
    "remove": lambda executor: executor.remove(REF),
}
MAY_BE_GIVEN_UP: dict[str, Call] = {
    "has_code": lambda executor: executor.has_code("tree"),
    "stage_code": lambda executor: executor.stage_code("tree", b""),
    "prepare": lambda executor: executor.prepare(SPECIFICATION, None),
}
ONCE: dict[str, Call] = {
    "keep": lambda executor: executor.keep(),
    "engine_id": lambda executor: executor.engine_id(),
    "give_up": lambda executor: executor.give_up(SPECIFICATION, None),
    "delete": lambda executor: executor.delete([]),
    "verify": lambda executor: executor.verify(),
    "delete_code": lambda executor: executor.delete_code([]),
    "launch": lambda executor: executor.launch(LAUNCH),
    "found": lambda executor: executor.found(),
    "frames": lambda executor: anext(executor.frames(REF, skip=0, follow=False)),
    "usages": lambda executor: anext(executor.usages(REF)),
    "kept": lambda executor: anext(executor.kept(REF)),
}


def test_every_call_of_the_port_has_its_place() -> None:
    named = {name for name in vars(Executor) if not name.startswith("_")} - {"kind"}
    assert named == MUST_COME_ABOUT.keys() | MAY_BE_GIVEN_UP.keys() | ONCE.keys()


@pytest.mark.parametrize("failure", [InfrastructureError("away"), ImageMissingError("no image")], ids=["away", "image"])
async def test_what_must_come_about_is_asked_for_until_the_engine_answers(failure: Exception) -> None:
    engine = Failing(failure)
    executor = RetryingExecutor(engine, retry_for_s=0)
    await asyncio.gather(*(call(executor) for call in MUST_COME_ABOUT.values()))
    assert sorted(engine.asked) == sorted([*MUST_COME_ABOUT] * 2)


async def test_what_a_run_needs_is_asked_for_again_for_a_while() -> None:
    engine = Failing(InfrastructureError("away"))
    executor = RetryingExecutor(engine, retry_for_s=60)
    await asyncio.gather(*(call(executor) for call in MAY_BE_GIVEN_UP.values()))
    assert sorted(engine.asked) == sorted([*MAY_BE_GIVEN_UP] * 2)


@pytest.mark.parametrize(
    ("failure", "retry_for_s"),
    [(InfrastructureError("away"), 0), (ImageMissingError("no image"), 60)],
    ids=["time is over", "time heals nothing"],
)
async def test_what_a_run_needs_is_given_up_when_asking_does_not_help(failure: Exception, retry_for_s: float) -> None:
    engine = Failing(failure)
    executor = RetryingExecutor(engine, retry_for_s=retry_for_s)
    for call in MAY_BE_GIVEN_UP.values():
        with pytest.raises(InfrastructureError):
            await call(executor)
    assert engine.asked == [*MAY_BE_GIVEN_UP]


async def test_a_removal_may_be_left_for_later() -> None:
    engine = Failing(InfrastructureError("away"))
    with pytest.raises(InfrastructureError):
        await RetryingExecutor(engine, retry_for_s=60).remove(REF, retry_for_s=0)
    assert engine.asked == ["remove"]


async def test_everything_else_is_asked_for_once() -> None:
    engine = Failing(InfrastructureError("away"))
    executor = RetryingExecutor(engine, retry_for_s=60)
    for call in ONCE.values():
        with pytest.raises(InfrastructureError):
            await call(executor)
    assert engine.asked == [*ONCE]
    assert executor.kind == engine.kind

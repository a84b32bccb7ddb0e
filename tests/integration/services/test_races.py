"""A cancel, an end and a loss meet, hundreds of times, from connections of their own: each run ends exactly once."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.commands import ConcludeRun, FinishAttempt, LoseAttempt, RequestCancel, RunCommand
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunCancelRequested, RunFinished, RunLost
from fastflow_events.errors import FencedError, NotActiveError
from fastflow_events.execute import execute
from fastflow_events.fact import Fact
from fastflow_events.nats.connection import connect
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import (
    CAUSE,
    attempt_finished,
    holder,
    run_claimed,
    run_dispatched,
    run_requested,
    run_started,
)
from nats.aio.client import Client

pytestmark = pytest.mark.nats
RACES = 600
AT_ONCE = 20
BEGUN = (run_requested(), run_dispatched(), run_claimed(), run_started())
CANCEL = RequestCancel(who="ann")
FINISH = FinishAttempt(holder=holder(), finished=attempt_finished())
LOSE = LoseAttempt(attempt=1)


@pytest_asyncio.fixture
async def writers(nc: Client, nats_url: str) -> AsyncGenerator[dict[str, JetStreamLog]]:
    """A gateway, a runner and two schedulers, none of which hears the others; `nc` has deployed the streams."""
    async with AsyncExitStack() as stack:
        names = ("gateway", "runner", "scheduler-1", "scheduler-2")
        yield {
            name: JetStreamLog(
                await stack.enter_async_context(connect(Settings(nats_url=nats_url), name)), source=f"/fastflow/{name}"
            )
            for name in names
        }


async def say(log: JetStreamLog, run_id: str, command: RunCommand) -> None:
    """Say it, if the run still lets it be said."""
    try:
        await execute(log, run_decider, run_id, command, cause=CAUSE)
    except (NotActiveError, FencedError):
        return


async def conclude(log: JetStreamLog, run_id: str) -> None:
    """What a scheduler does as soon as it sees that the attempt is over."""
    while run_decider.fold((await log.load("run", run_id)).facts).phase != "finished":
        await say(log, run_id, ConcludeRun())


async def race(writers: dict[str, JetStreamLog], run_id: str, number: int) -> None:
    """One run, at whose end everybody wants something of it; a third may be lost, too, and a fifth nobody cancels."""
    await writers["gateway"].append(Position(aggregate="run", id=run_id), BEGUN, cause=CAUSE)
    schedulers = [writers["scheduler-1"], writers["scheduler-2"]]
    commands: list[tuple[JetStreamLog, RunCommand]] = [(writers["runner"], FINISH)]
    commands += [(writers["gateway"], CANCEL)] if number % 5 else []
    commands += [(log, LOSE) for log in schedulers if number % 3 == 0]
    random.Random(number).shuffle(commands)
    found = [say(log, run_id, command) for log, command in commands]
    if number % 4 == 0:
        await found.pop(0)  # what comes first for certain
    await asyncio.gather(*found, *(conclude(log, run_id) for log in schedulers))


def expected(facts: Sequence[Fact]) -> str:
    """The outcome that follows from who was first."""
    kinds = [type(fact) for fact in facts]
    end = next(fact for fact in facts if isinstance(fact, RunAttemptFinished | RunLost))
    last_word = kinds.index(RunFinished) if isinstance(end, RunLost) else kinds.index(RunAttemptFinished)
    if RunCancelRequested in kinds[:last_word]:
        return "cancelled"
    return "lost" if isinstance(end, RunLost) else "succeeded"


async def test_of_a_cancel_an_end_and_a_loss_that_race_exactly_one_decides_and_the_run_ends_once(
    writers: dict[str, JetStreamLog], jetstream_log: JetStreamLog
) -> None:
    for start in range(0, RACES, AT_ONCE):
        await asyncio.gather(*(race(writers, f"r{n}", n) for n in range(start, start + AT_ONCE)))
    seen = set()
    for number in range(RACES):
        facts = (await jetstream_log.load("run", f"r{number}")).facts
        assert facts[: len(BEGUN)] == BEGUN
        kinds = [type(fact) for fact in facts]
        assert kinds.count(RunFinished) == 1, facts
        assert kinds[-1] is RunFinished
        assert kinds.count(RunAttemptFinished) + kinds.count(RunLost) == 1, facts
        assert kinds.count(RunCancelRequested) <= 1
        end = facts[-1]
        assert isinstance(end, RunFinished)
        assert end.outcome == expected(facts), facts
        seen.add(end.outcome)
    assert seen == {"succeeded", "cancelled", "lost"}

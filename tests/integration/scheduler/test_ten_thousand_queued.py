"""Ten thousand runs wait: a slot is still taken by the oldest of them, each starts once, and memory stays small."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.run.commands import ClaimAttempt, FinishAttempt
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.execute import execute
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import (
    CAUSE,
    attempt_finished,
    holder,
    pipeline_discovered,
    run_requested,
    version_stored,
)
from fastflow_events.testing.eventually import eventually
from fastflow_scheduler.testing import heartbeat, living_runners
from nats.aio.client import Client

pytestmark = pytest.mark.nats
RUNS, AT_ONCE = 10_000, 64
SLOTS, ENDED = 5, 100
DISPATCHED = subjects.event("run", fact="dispatched", scope=subjects.ANY)
ROOM_MB = 40
"""What ten thousand waiting runs may take, beside what a scheduler takes that has nothing to do."""
LEAK_MB = 10
"""What a hundred of them may leave behind that have ended."""


@asynccontextmanager
async def scheduler(url: str, home: Path) -> AsyncGenerator[Path]:
    """A process; yields the file that says what it takes."""
    own = {"FASTFLOW_NATS_URL": url, "FASTFLOW_HOME": str(home), "FASTFLOW_CLAIM_WITHIN_S": "3600"}
    command = (sys.executable, "-m", "fastflow_scheduler")
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **own}, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield Path(f"/proc/{process.pid}/status")
    finally:
        process.kill()
        await process.wait()


def memory_mb(status: Path) -> float:
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS")) / 1000


async def together(count: int, do: Callable[[int], Awaitable[None]]) -> None:
    """Do it for every number, many at once."""
    numbers = iter(range(count))

    async def some() -> None:
        for number in numbers:
            await do(number)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def dispatched(log: JetStreamLog) -> list[str]:
    return [recorded.id async for recorded in log.read(DISPATCHED)]


async def test_of_ten_thousand_queued_runs_each_slot_takes_the_oldest_and_memory_stays_small(
    nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    log = jetstream_log
    await log.append(Position(aggregate="pipeline", id="hello"), [version_stored(), pipeline_discovered()], cause=CAUSE)
    asked: dict[int, str] = {}

    async def ask(number: int) -> None:
        [recorded] = await log.append(Position(aggregate="run", id=f"r{number}"), [run_requested()], cause=CAUSE)
        asked[recorded.seq] = recorded.id

    async def end(run_id: str) -> None:
        await execute(log, run_decider, run_id, ClaimAttempt(attempt=1, holder=holder()), cause=CAUSE)
        over = FinishAttempt(holder=holder(), finished=attempt_finished())
        await execute(log, run_decider, run_id, over, cause=CAUSE)

    async def started(count: int) -> bool:
        return len(await dispatched(log)) >= count

    async with scheduler(nats_url, tmp_path) as status, living_runners(nats_url, heartbeat(slots=SLOTS)):
        await ask(RUNS)
        await eventually(lambda: started(1), within_s=60)
        idle = memory_mb(status)
        await end(f"r{RUNS}")
        await together(RUNS, ask)
        await eventually(lambda: started(1 + SLOTS), within_s=60)
        oldest = [asked[seq] for seq in sorted(asked)]
        assert await dispatched(log) == oldest[: 1 + SLOTS]
        assert memory_mb(status) < idle + ROOM_MB
        for number in range(1, 1 + ENDED):
            await end(oldest[number])
            await eventually(lambda count=number: started(1 + SLOTS + count), within_s=60)  # type: ignore[misc]
        assert await dispatched(log) == oldest[: 1 + SLOTS + ENDED]
        assert memory_mb(status) < idle + ROOM_MB + LEAK_MB

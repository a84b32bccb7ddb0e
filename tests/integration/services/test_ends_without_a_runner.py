"""Ends that the scheduler decides: of runs that nobody holds, and of attempts whose runner does not come back."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.commands import ClaimAttempt, FinishAttempt, RequestCancel, RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import (
    RunAttemptFinished,
    RunDispatched,
    RunFinished,
    RunLost,
    RunRetryScheduled,
)
from fastflow_events.execute import execute
from fastflow_events.fact import Fact
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
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_scheduler.testing import living_runners, scheduling
from nats.aio.client import Client

pytestmark = pytest.mark.nats
NAME = "r1"
SLEEPER = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)"


@pytest_asyncio.fixture
async def runner(nc: Client, nats_url: str, tmp_path: Path) -> AsyncGenerator[LivingRunner]:
    runner = LivingRunner(tmp_path / "home", nats_url, name=NAME, executor="process")
    yield runner
    runner.stop()


async def hello(log: JetStreamLog, **definition: object) -> None:
    position = Position(aggregate="pipeline", id="hello")
    await log.append(
        position, [version_stored(definition=definition), pipeline_discovered(definition=definition)], cause=CAUSE
    )


async def request(log: JetStreamLog, run_id: str) -> None:
    await execute(log, run_decider, run_id, RequestRun(request=run_requested()), cause=CAUSE)


async def cancel(log: JetStreamLog, run_id: str) -> None:
    await execute(log, run_decider, run_id, RequestCancel(who="ann"), cause=CAUSE)


async def the(log: JetStreamLog, run_id: str, kind: type[Fact], within_s: float = 30.0) -> Fact:
    [fact] = await eventually(lambda: facts_of(log, run_id, kind), within_s=within_s)
    return fact


async def end_of(log: JetStreamLog, run_id: str, within_s: float = 30.0) -> tuple[str, int | None, str]:
    end = await the(log, run_id, RunFinished, within_s)
    assert isinstance(end, RunFinished)
    return end.outcome, end.attempt, end.detail


async def test_a_run_that_waits_for_its_turn_is_cancelled_at_once(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await hello(jetstream_log)
    async with living_runners(nats_url), scheduling(nats_url, tmp_path, max_concurrent_runs=1):
        await request(jetstream_log, "first")
        await the(jetstream_log, "first", RunDispatched)
        await request(jetstream_log, "second")
        await cancel(jetstream_log, "second")
        assert await end_of(jetstream_log, "second") == ("cancelled", None, "cancelled before it was started")
        await cancel(jetstream_log, "first")
        assert await end_of(jetstream_log, "first") == ("cancelled", 1, "cancelled before it was started")
    assert not await facts_of(jetstream_log, "second", RunDispatched)


async def test_a_run_that_waits_for_its_retry_is_cancelled_at_once(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await hello(jetstream_log, retry_attempts=1, retry_strategy={"delay_s": 1000})
    async with living_runners(nats_url), scheduling(nats_url, tmp_path):
        await request(jetstream_log, "r1")
        await the(jetstream_log, "r1", RunDispatched)
        await execute(jetstream_log, run_decider, "r1", ClaimAttempt(attempt=1, holder=holder()), cause=CAUSE)
        failed = FinishAttempt(holder=holder(), finished=attempt_finished(outcome="failed", exit_code=3))
        await execute(jetstream_log, run_decider, "r1", failed, cause=CAUSE)
        await the(jetstream_log, "r1", RunRetryScheduled)
        await cancel(jetstream_log, "r1")
        assert await end_of(jetstream_log, "r1") == ("cancelled", 1, "cancelled before it was started")


async def test_an_attempt_is_lost_when_its_runner_does_not_come_back_and_stays_lost_when_it_does(
    runner: LivingRunner, nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    """Takes two leases and a margin, because whoever has just begun to listen may not give anybody up sooner."""
    runner.start()
    lost, cancelled = [await submit(nc, jetstream_log, SLEEPER) for _ in range(2)]
    for run_id in (lost, cancelled):
        await eventually(lambda id=run_id: chunks_of(nc, id), within_s=60)  # type: ignore[misc]
    script = int(text_of(await chunks_of(nc, lost)))
    runner.kill()
    await cancel(jetstream_log, cancelled)
    async with scheduling(nats_url, tmp_path / "scheduler", lost_after_s=1):
        gone = f"runner {NAME} did not come back"
        assert await end_of(jetstream_log, lost, within_s=90) == ("lost", 1, gone)
        assert await end_of(jetstream_log, cancelled) == ("cancelled", 1, f"cancelled: runner {NAME} did not come back")
        assert await facts_of(jetstream_log, cancelled, RunLost)
    runner.start()
    await eventually(lambda: runner.log_text().count("orphan_removed") == 2, within_s=60)
    await eventually(lambda: not Path(f"/proc/{script}").exists())
    assert not await facts_of(jetstream_log, lost, RunAttemptFinished)

"""The scheduler as it is shipped, on a real nats-server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastflow_events.aggregates.pipeline.events import PipelineInvalid, PipelineVersionMissing
from fastflow_events.aggregates.queue.events import QueueLeased
from fastflow_events.aggregates.run.commands import ClaimAttempt, FinishAttempt, RequestCancel, RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunDispatched, RunFinished, RunRejected
from fastflow_events.errors import ConcurrencyError
from fastflow_events.execute import execute
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import (
    CAUSE,
    COMMIT,
    TREE,
    attempt_finished,
    holder,
    pipeline_discovered,
    run_dispatched,
    run_requested,
    version_stored,
)
from fastflow_events.testing.eventually import eventually
from fastflow_scheduler.testing import living_runners, scheduling
from nats.aio.client import Client

pytestmark = pytest.mark.nats


@asynccontextmanager
async def scheduler(url: str, home: Path, name: str = "one", max_concurrent_runs: int = 10) -> AsyncGenerator[None]:
    async with living_runners(url), scheduling(url, home, name, max_concurrent_runs=max_concurrent_runs):
        yield


async def hello(log: JetStreamLog, **definition: object) -> None:
    position = Position(aggregate="pipeline", id="hello")
    stored = version_stored(definition=definition)
    await log.append(position, [stored, pipeline_discovered(definition=definition)], cause=CAUSE)


async def request(log: JetStreamLog, run_id: str, **more: object) -> None:
    await execute(log, run_decider, run_id, RequestRun(request=run_requested(**more)), cause=CAUSE)


async def facts(log: JetStreamLog, run_id: str, kind: type) -> list[object]:
    return [fact for fact in (await log.load("run", run_id)).facts if isinstance(fact, kind)]


async def test_a_run_of_a_known_pipeline_is_dispatched_with_everything_it_needs(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await hello(jetstream_log, env={"A": "1", "B": "1"})
    async with scheduler(nats_url, tmp_path):
        await request(jetstream_log, "r1", env={"B": "2"}, params={"C": "3"})
        [dispatched] = await eventually(lambda: facts(jetstream_log, "r1", RunDispatched))
    assert isinstance(dispatched, RunDispatched)
    assert dispatched.specification.tree == TREE
    assert dispatched.specification.env == {"A": "1", "B": "2", "C": "3"}


async def test_an_attempt_that_ended_ends_its_run(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> None:
    await hello(jetstream_log)
    async with scheduler(nats_url, tmp_path):
        await request(jetstream_log, "r1")
        await eventually(lambda: facts(jetstream_log, "r1", RunDispatched))
        await execute(jetstream_log, run_decider, "r1", ClaimAttempt(attempt=1, holder=holder()), cause=CAUSE)
        done = FinishAttempt(holder=holder(), finished=attempt_finished(outcome="failed", exit_code=3, detail="bad"))
        await execute(jetstream_log, run_decider, "r1", done, cause=CAUSE)
        [finished] = await eventually(lambda: facts(jetstream_log, "r1", RunFinished))
    assert finished == RunFinished(outcome="failed", attempt=1, detail="bad")


async def test_what_can_never_start_is_rejected_with_the_reason(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    broken = PipelineInvalid(repository="main", commit=COMMIT, tree=TREE, errors=("$.timeout: text",))
    await jetstream_log.append(Position(aggregate="pipeline", id="broken"), [broken], cause=CAUSE)
    await hello(jetstream_log, enabled=False)
    async with scheduler(nats_url, tmp_path):
        await request(jetstream_log, "r1", pipeline="nobody")
        await request(jetstream_log, "r2", pipeline="broken")
        await request(jetstream_log, "r3")
        reasons = []
        for run_id in ("r1", "r2", "r3"):
            [rejected] = await eventually(lambda id=run_id: facts(jetstream_log, id, RunRejected))  # type: ignore[misc]
            assert isinstance(rejected, RunRejected)
            reasons.append(rejected.reason)
    assert reasons == ["unknown", "invalid_definition", "disabled"]


async def test_a_run_of_a_commit_that_is_not_stored_waits_for_it(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await hello(jetstream_log)
    other, gone = "d" * 40, "e" * 40
    async with scheduler(nats_url, tmp_path):
        await request(jetstream_log, "r1", commit=other)
        await request(jetstream_log, "r2", commit=gone)
        await request(jetstream_log, "r3")
        await eventually(lambda: facts(jetstream_log, "r3", RunDispatched))
        assert not await facts(jetstream_log, "r1", RunDispatched)
        history = await jetstream_log.load("pipeline", "hello")
        news = [version_stored(commit=other), PipelineVersionMissing(repository="main", commit=gone, reason="no such")]
        await jetstream_log.append(history.position, news, cause=CAUSE)
        [dispatched] = await eventually(lambda: facts(jetstream_log, "r1", RunDispatched))
        [rejected] = await eventually(lambda: facts(jetstream_log, "r2", RunRejected))
    assert isinstance(dispatched, RunDispatched)
    assert dispatched.specification.commit == other
    assert isinstance(rejected, RunRejected)
    assert rejected.reason == "version_missing"


async def test_a_place_that_becomes_free_goes_to_the_next_run(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await hello(jetstream_log)
    async with scheduler(nats_url, tmp_path, max_concurrent_runs=1):
        await request(jetstream_log, "r1")
        await request(jetstream_log, "r2")
        await eventually(lambda: facts(jetstream_log, "r1", RunDispatched))
        assert not await facts(jetstream_log, "r2", RunDispatched)
        await execute(jetstream_log, run_decider, "r1", RequestCancel(who="ann"), cause=CAUSE)
        await eventually(lambda: facts(jetstream_log, "r1", RunFinished))
        await eventually(lambda: facts(jetstream_log, "r2", RunDispatched))


async def test_two_schedulers_dispatch_each_run_once_and_the_second_takes_over(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await hello(jetstream_log)
    runs = [f"r{n}" for n in range(40)]
    async with scheduler(nats_url, tmp_path / "two", "two"):
        async with scheduler(nats_url, tmp_path / "one", "one", max_concurrent_runs=100):
            await asyncio.gather(*(request(jetstream_log, run_id) for run_id in runs[:20]))
            await eventually(lambda: facts(jetstream_log, "r0", RunDispatched))
        for run_id in runs[:20]:
            await execute(jetstream_log, run_decider, run_id, RequestCancel(who="ann"), cause=CAUSE)
        await asyncio.gather(*(request(jetstream_log, run_id) for run_id in runs[20:25]))
        for run_id in runs[20:25]:
            await eventually(lambda id=run_id: facts(jetstream_log, id, RunDispatched))  # type: ignore[misc]
    dispatches = [len(await facts(jetstream_log, run_id, RunDispatched)) for run_id in runs[:25]]
    assert max(dispatches) == 1
    assert dispatches[20:] == [1] * 5


async def test_a_deposed_leader_cannot_dispatch(jetstream_log: JetStreamLog, nc: Client) -> None:
    await request(jetstream_log, "r1")
    lease = Position(aggregate="queue", id="main")
    [first] = await jetstream_log.append(lease, [QueueLeased(term=1, leader="a")], cause=CAUSE)
    old = Position(aggregate="queue", id="main", seq=first.seq, version=1)
    await jetstream_log.append(old, [QueueLeased(term=2, leader="b")], cause=CAUSE)
    run = (await jetstream_log.load("run", "r1")).position
    with pytest.raises(ConcurrencyError):
        await jetstream_log.append(run, [run_dispatched()], cause=CAUSE, guard=old)
    assert not await facts(jetstream_log, "r1", RunDispatched)


async def test_a_restarted_scheduler_goes_on_where_it_was(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await hello(jetstream_log)
    async with scheduler(nats_url, tmp_path, max_concurrent_runs=1):
        await request(jetstream_log, "r1")
        await request(jetstream_log, "r2")
        await eventually(lambda: facts(jetstream_log, "r1", RunDispatched))
    await execute(jetstream_log, run_decider, "r1", RequestCancel(who="ann"), cause=CAUSE)
    async with scheduler(nats_url, tmp_path, max_concurrent_runs=1):
        await eventually(lambda: facts(jetstream_log, "r2", RunDispatched))
    assert len(await facts(jetstream_log, "r1", RunDispatched)) == 1


async def test_a_message_that_nobody_can_read_holds_up_nobody(
    nats_url: str, jetstream_log: JetStreamLog, nc: Client, tmp_path: Path
) -> None:
    await hello(jetstream_log)
    await nc.jetstream().publish("fastflow.evt.run.odd.requested", b"no fact", headers={"ce-type": "run.requested.v1"})
    async with scheduler(nats_url, tmp_path):
        await request(jetstream_log, "r1")
        await eventually(lambda: facts(jetstream_log, "r1", RunDispatched))

"""The runner as it is shipped: a process of its own, on a real nats-server, with real processes."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.aggregates.environment.events import EnvironmentFailed, EnvironmentPrepared
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunClaimed, RunStarted
from fastflow_events.execute import execute
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.leases import heartbeat_of
from fastflow_events.nats.topology import DEFAULT_POOL, EVENTS, dispatch_durable
from fastflow_events.recorded import Cause
from fastflow_events.testing.eventually import eventually
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from nats.aio.client import Client

pytestmark = pytest.mark.nats


@pytest_asyncio.fixture
async def runner(nc: Client, nats_url: str, tmp_path: Path) -> AsyncIterator[LivingRunner]:
    runner = LivingRunner(tmp_path / "home", nats_url, executor="process")
    yield runner
    runner.stop()


async def finished(log: JetStreamLog, run_id: str, *, within_s: float = 60.0) -> RunAttemptFinished:
    [fact] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=within_s)
    assert isinstance(fact, RunAttemptFinished)
    return fact


async def test_a_dispatched_run_is_executed_and_its_output_stored(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    script = (
        "import os, sys\nprint('hello', os.environ['A'])\n"
        "print('oops', file=sys.stderr)\nprint(os.environ['FASTFLOW_RUN_ID'])\n"
    )
    run_id = await submit(nc, jetstream_log, script, env={"A": "1", "FASTFLOW_RUN_ID": "forged"})
    end = await finished(jetstream_log, run_id)
    assert (end.outcome, end.exit_code, end.detail) == ("succeeded", 0, "")
    assert (end.output_lines, end.output_bytes) == (3, len(f"hello 1\noops\n{run_id}\n"))
    names = [type(fact).__name__ for fact in (await jetstream_log.load("run", run_id)).facts]
    assert names == ["RunRequested", "RunDispatched", "RunClaimed", "RunStarted", "RunAttemptFinished"]
    chunks = await chunks_of(nc, run_id)
    assert text_of(chunks) == f"hello 1\n{run_id}\n"
    assert text_of(chunks, "stderr") == "oops\n"
    assert [chunk.last for chunk in chunks][-1]
    folder = runner.log_file.parent / "runner/process/runs"
    await eventually(lambda: not list(folder.iterdir()))


async def test_the_first_line_is_stored_while_the_script_runs(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, "import time\nprint('first', flush=True)\ntime.sleep(60)\n")
    await eventually(lambda: chunks_of(nc, run_id))
    assert text_of(await chunks_of(nc, run_id)) == "first\n"
    assert not await facts_of(jetstream_log, run_id, RunAttemptFinished)
    cancel = RequestCancel(who="tester")
    await execute(jetstream_log, run_decider, run_id, cancel, cause=Cause(correlation_id="c"))
    end = await finished(jetstream_log, run_id)
    assert (end.outcome, end.signal) == ("cancelled", 15)


async def test_a_failing_script_says_how_it_failed(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, "raise SystemExit(3)")
    end = await finished(jetstream_log, run_id)
    assert (end.outcome, end.exit_code, end.detail) == ("failed", 3, "the script ended with exit code 3")


async def test_a_script_that_takes_too_long_times_out(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, "import time\nprint('on', flush=True)\ntime.sleep(60)", timeout_s=0.5)
    end = await finished(jetstream_log, run_id)
    assert (end.outcome, end.detail) == ("timed_out", "it ran longer than 0.5 s and was ended")


async def test_code_that_nobody_stored_is_an_infrastructure_error_with_a_closed_log(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, "print(1)", tree="f" * 40)
    end = await finished(jetstream_log, run_id)
    assert end.outcome == "infrastructure_error"
    assert end.detail == "the script was not started: the code bundle is not in the object store"
    [chunk] = await chunks_of(nc, run_id)
    assert chunk.last
    assert not await facts_of(jetstream_log, run_id, RunStarted)


async def test_no_more_attempts_run_than_there_are_slots(
    nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    runner = LivingRunner(tmp_path / "home", nats_url, executor="process", slots="2")
    runner.start()
    try:
        script = "import time\nprint(time.time())\ntime.sleep(0.4)\nprint(time.time())"
        run_ids = [await submit(nc, jetstream_log, script) for _ in range(5)]
        for run_id in run_ids:
            assert (await finished(jetstream_log, run_id)).outcome == "succeeded"
        spans = [[float(at) for at in text_of(await chunks_of(nc, run_id)).split()] for run_id in run_ids]
    finally:
        runner.stop()
    overlapping = [sum(span[0] < start < span[1] for span in spans) for start, _ in spans]
    assert max(overlapping) <= 1


async def test_a_second_process_under_the_same_runner_id_refuses_to_start(
    runner: LivingRunner, nc: Client, nats_url: str, tmp_path: Path
) -> None:
    runner.start()
    await eventually(lambda: heartbeat_of(nc, "r1"))
    twin = LivingRunner(tmp_path / "home", nats_url, executor="process")
    stranger = LivingRunner(tmp_path / "other home", nats_url, executor="process")
    twin.start()
    stranger.start()
    assert [await twin.ended(), await stranger.ended()] == [1, 1]
    assert "another process on this machine is this runner" in twin.log_text()
    assert "another process is alive as runner r1" in stranger.log_text()


async def test_a_dispatch_that_is_delivered_twice_is_executed_once(
    runner: LivingRunner, nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    counter = tmp_path / "counter"
    script = f"open({str(counter)!r}, 'a').write('x')\nimport time\ntime.sleep(7)\nprint('done')"
    runner.start(crash_at="claimed")
    run_id = await submit(nc, jetstream_log, script)
    assert await runner.ended() == -signal.SIGKILL
    other = LivingRunner(tmp_path / "other", nats_url, name="r2", executor="process")
    other.start()
    runner.start()
    try:
        assert (await finished(jetstream_log, run_id)).outcome == "succeeded"
        await eventually(lambda: nothing_is_in_delivery(nc))
    finally:
        other.stop()
    assert counter.read_text() == "x"
    assert len(await facts_of(jetstream_log, run_id, RunClaimed)) == 1


async def nothing_is_in_delivery(nc: Client) -> bool:
    info = await nc.jetstream().consumer_info(EVENTS, dispatch_durable(DEFAULT_POOL))
    return not info.num_ack_pending and not info.num_pending


async def test_packages_are_resolved_once_and_recorded(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    script = "import sys, idna\nprint(sys.modules['idna'].__name__, bool(idna.__file__))"
    for _ in range(2):
        run_id = await submit(nc, jetstream_log, script, requirements="idna\n")
        assert (await finished(jetstream_log, run_id, within_s=120)).outcome == "succeeded"
        assert text_of(await chunks_of(nc, run_id)) == "idna True\n"
    prepared = [r.fact async for r in jetstream_log.read(subjects.of_kind("environment"))]
    [fact] = prepared
    assert isinstance(fact, EnvironmentPrepared)
    assert "idna==" in fact.lock
    [started] = await facts_of(jetstream_log, run_id, RunStarted)
    assert isinstance(started, RunStarted)
    assert (started.manifest.environment, started.manifest.prepare_s) == (fact.environment, 0)


async def test_packages_that_do_not_exist_are_a_dependency_error_in_uvs_words(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, "print(1)", requirements="idna==0.0.0.1\n")
    end = await finished(jetstream_log, run_id, within_s=120)
    assert end.outcome == "dependency_error"
    assert "idna" in end.detail
    chunks = await chunks_of(nc, run_id)
    assert "idna" in text_of(chunks, "stderr")
    [failed] = [r.fact async for r in jetstream_log.read(subjects.of_kind("environment"))]
    assert isinstance(failed, EnvironmentFailed)

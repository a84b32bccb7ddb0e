"""The last error of a script that failed is in the fact of its end: with its words masked, also after an adoption."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.events import RunAttemptFinished
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from nats.aio.client import Client

pytestmark = pytest.mark.nats
FAILS = """
import os, sys, time

def price(of):
    return {}[of]

print("begins", flush=True)
while not os.path.exists(os.environ["FLAG"]):
    time.sleep(0.05)
price(os.environ["SKU"])
"""


@pytest_asyncio.fixture
async def runner(nc: Client, nats_url: str, tmp_path: Path) -> AsyncIterator[LivingRunner]:
    runner = LivingRunner(tmp_path / "home", nats_url, executor="process")
    yield runner
    runner.stop()


async def test_what_a_script_failed_with_is_told_with_its_place_also_by_a_runner_that_adopted_it(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    runner.start()
    flag = tmp_path / "flag"
    run_id = await submit(nc, jetstream_log, FAILS, env={"SKU": "blue", "FLAG": str(flag)})
    await eventually(lambda: chunks_of(nc, run_id), within_s=60)
    runner.kill()
    flag.touch()
    runner.start()
    [end] = await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=60)
    assert isinstance(end, RunAttemptFinished)
    assert end.outcome == "failed"
    assert end.error is not None
    assert end.error.in_words == "KeyError: 'blue', main.py:5"
    lines = text_of(await chunks_of(nc, run_id)) + text_of(await chunks_of(nc, run_id), "stderr")
    assert lines.splitlines()[end.error.log_line - 1] == "KeyError: 'blue'"


async def test_an_error_that_a_script_only_printed_is_not_what_it_ended_with(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    script = "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()\n"
    run_id = await submit(nc, jetstream_log, script)
    [end] = await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=60)
    assert isinstance(end, RunAttemptFinished)
    assert (end.outcome, end.error) == ("succeeded", None)

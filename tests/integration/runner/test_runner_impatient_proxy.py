"""A proxy that cuts every stream that is silent for three seconds, between the runner and its engine."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunClaimed, RunStarted
from fastflow_events.execute import execute
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Cause
from fastflow_events.testing.eventually import eventually
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.testing.builders import INSTALLATION
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from fastflow_runner.testing.socket_proxy import forget_tools, socket_proxy
from nats.aio.client import Client

pytestmark = [pytest.mark.nats, pytest.mark.docker]
OWNER = f"impatient-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{OWNER}")
SILENT = """
import sys, time
print("before", flush=True)
time.sleep(10)
for n in range(100): print("after", n)
print("the end", file=sys.stderr)
raise SystemExit({code})
"""
TIDY = """
import signal, sys, time
def tidy(number, frame):
    print("told to end", flush=True)
    time.sleep(7)
    print("tidied up", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, tidy)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "haproxy.log"


@pytest_asyncio.fixture
async def runner(nats_url: str, engine: str, tmp_path: Path) -> AsyncGenerator[LivingRunner]:
    with socket_proxy(tmp_path, engine=engine, deployment=DEPLOYMENT, cut_after="3s") as url:
        settings = {"executor": "docker", "docker_url": url, "docker_network": "bridge", "standby": "2"}
        runner = LivingRunner(tmp_path / "home", nats_url, name=OWNER, docker_volume=DEPLOYMENT.volume, **settings)
        yield runner
        runner.stop()
    forget_tools(engine, OWNER, DEPLOYMENT.volume)


async def end_of(log: JetStreamLog, run_id: str) -> RunAttemptFinished:
    [end] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=90)
    assert isinstance(end, RunAttemptFinished)
    for kind in (RunClaimed, RunStarted):
        assert len(await facts_of(log, run_id, kind)) == 1
    return end


async def test_scripts_that_are_silent_for_ten_seconds_end_right_behind_a_proxy_that_waits_for_three(
    runner: LivingRunner, said: Path, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    runs = {code: await submit(nc, jetstream_log, SILENT.format(code=code)) for code in (0, 3)}
    mute = await submit(nc, jetstream_log, "import time\ntime.sleep(10)")
    expected = {0: ("succeeded", 0, ""), 3: ("failed", 3, "the script ended with exit code 3")}
    for code, run_id in runs.items():
        end = await end_of(jetstream_log, run_id)
        assert (end.outcome, end.exit_code, end.detail) == expected[code]
        chunks = await chunks_of(nc, run_id)
        assert text_of(chunks) == "before\n" + "".join(f"after {n}\n" for n in range(100))
        assert text_of(chunks, "stderr") == "the end\n"
        assert (end.output_lines, chunks[-1].last) == (102, True)
    assert ((await end_of(jetstream_log, mute)).outcome, text_of(await chunks_of(nc, mute))) == ("succeeded", "")
    cut = [line for line in said.read_text().splitlines() if " sD-- " in line or " cD-- " in line]
    for stream in ("/logs?follow=1", "/wait"):
        assert [line for line in cut if stream in line], f"{stream} was never cut, so nothing was tried"


async def test_a_cancelled_script_has_its_grace_behind_a_proxy_that_does_not_wait_for_it(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    run_id = await submit(nc, jetstream_log, TIDY)
    await eventually(lambda: chunks_of(nc, run_id), within_s=60)
    cancel = RequestCancel(who="ann")
    await execute(jetstream_log, run_decider, run_id, cancel, cause=Cause(correlation_id="test"))
    end = await end_of(jetstream_log, run_id)
    assert text_of(await chunks_of(nc, run_id)) == "ready\ntold to end\ntidied up\n"
    assert (end.outcome, end.exit_code) == ("cancelled", 0)

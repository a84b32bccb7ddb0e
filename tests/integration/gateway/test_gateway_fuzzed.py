"""The gateway against its own contract: schemathesis asks all that it can think of, and finds nothing."""

import asyncio
import json
import sys
from pathlib import Path

import httpx
import pytest
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_gateway.openapi import document
from fastflow_gateway.testing import caught_up, running_gateway
from fastflow_gateway.testing.idle_runner import IdleRunner

pytestmark = pytest.mark.nats

HERE = Path(__file__).parent
LEFT_OUT = r"(/stream$|^/api/live|^/api/sync/plan$|^/api/repositories)"
"""What never ends, and what git_sync answers, who is not there; only the last expression counts, so that it is one."""
SEED = 20_260_101
EXAMPLES = 4
"""Of each operation and each phase. A number, and not a time: the same is asked on every machine."""
PIPELINES = ("hello", "report")


async def fuzz(url: str, folder: Path) -> tuple[int, str]:
    """What schemathesis has to say, and whether it is content."""
    argv = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")]
    schema = folder / "openapi.json"
    schema.write_text(json.dumps(document()))
    argv += ["run", str(schema), "--url", url, "--phases", "examples,coverage,fuzzing,stateful", "--checks", "all"]
    argv += [
        "--exclude-path-regex",
        LEFT_OUT,
        "--seed",
        str(SEED),
        "--max-examples",
        str(EXAMPLES),
        "--generation-deterministic",
        "--continue-on-failure",
    ]
    argv += ["--no-color", "--warnings", "off", "--request-timeout", "60", "--suppress-health-check", "all"]
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.mark.timeout(900)
async def test_the_gateway_answers_whatever_is_asked_as_its_contract_says(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    for name in PIPELINES:
        position = (await jetstream_log.load("pipeline", name)).position
        await jetstream_log.append(position, [pipeline_discovered()], cause=CAUSE)
    await IdleRunner(jetstream_log).start()
    async with running_gateway(nats_url, tmp_path) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:
        await caught_up(client.get, jetstream_log)
        status, words = await fuzz(url, tmp_path)
    assert status == 0, words

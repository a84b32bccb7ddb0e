"""Gateways are killed while they are asked for runs: whoever asks again with the same key has asked once."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from fastflow_events import subjects
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_events.testing.eventually import eventually

pytestmark = pytest.mark.nats
ASKERS, KILLS, BETWEEN = 8, 2, 40
"""That many requests are answered between two kills."""


class Gateway:
    """A process that is killed and started again, at another address each time."""

    def __init__(self, home: Path, nats_url: str) -> None:
        self._told = home / "address"
        own = {"FASTFLOW_NATS_URL": nats_url, "FASTFLOW_HOME": str(home), "FASTFLOW_PORT": "0"}
        self._env = {**os.environ, **own, "FASTFLOW_ADDRESS_FILE": str(self._told)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._told.unlink(missing_ok=True)
        command = [sys.executable, "-m", "fastflow_gateway"]
        self._process = subprocess.Popen(command, env=self._env, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def address(self) -> str:
        """Empty while it is not known."""
        return self._told.read_text().strip() if self._told.exists() else ""


@pytest.fixture
def gateway(nats_url: str, tmp_path: Path) -> Generator[Gateway]:
    gateway = Gateway(tmp_path, nats_url)
    yield gateway
    gateway.kill()


async def ask(client: httpx.AsyncClient, gateway: Gateway, key: str) -> str:
    """Ask until somebody answers; the run's id."""
    while True:
        with suppress(httpx.HTTPError, httpx.InvalidURL):
            url = f"{gateway.address}/api/pipelines/hello/run"
            answer = await client.post(url, json={}, headers={"Idempotency-Key": key})
            if answer.status_code == 202:
                return str(answer.json()["id"])
        await asyncio.sleep(0.05)


async def test_gateways_that_are_killed_while_they_are_asked_make_one_run_of_each_wish(
    gateway: Gateway, jetstream_log: JetStreamLog
) -> None:
    await jetstream_log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
    answers: dict[str, str] = {}

    async def options(client: httpx.AsyncClient, asker: int) -> None:
        number = 0
        while True:
            key = f"{asker}-{number}"
            answers[key] = await ask(client, gateway, key)
            number += 1

    async def more() -> None:
        enough = len(answers) + BETWEEN
        await eventually(lambda: len(answers) >= enough, within_s=60)

    gateway.start()
    async with (
        httpx.AsyncClient(timeout=10) as client,
        background(*(options(client, asker) for asker in range(ASKERS))),
    ):
        for _ in range(KILLS):
            await more()
            gateway.kill()
            gateway.start()
        await more()
    runs = [recorded.id async for recorded in jetstream_log.read(subjects.event("run", fact="requested"))]
    assert len(set(runs)) == len(runs)
    assert len(set(answers.values())) == len(answers)
    assert set(answers.values()) <= set(runs)
    # What each was asking for when the test ended may be there, too, and nothing else.
    assert len(runs) <= len(answers) + ASKERS
    async with httpx.AsyncClient(timeout=10) as client:
        for key in list(answers)[-ASKERS:]:
            assert await ask(client, gateway, key) == answers[key]

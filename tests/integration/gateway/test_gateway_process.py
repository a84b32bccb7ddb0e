"""The gateway as a process: how it starts, stops and says that it cannot."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.app import build
from fastflow_gateway.server import server_of
from fastflow_gateway.settings import GatewaySettings

Process = subprocess.Popen[str]
COMMAND = [sys.executable, "-m", "fastflow_gateway"]


def environment(**more: str) -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if not k.startswith("FASTFLOW_")}, **more}


@contextmanager
def process(home: Path, nats_url: str) -> Iterator[Process]:
    own = {"FASTFLOW_NATS_URL": nats_url, "FASTFLOW_HOME": str(home), "FASTFLOW_PORT": "0"}
    fields = {"FASTFLOW_ADDRESS_FILE": str(home / "address")}
    running = subprocess.Popen(COMMAND, env=environment(**own, **fields), stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


async def address(home: Path) -> str:
    await eventually((home / "address").exists)
    return (home / "address").read_text().strip()


@pytest.mark.nats
async def test_it_ends_well_when_it_is_asked_to_even_with_a_stream_open(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await jetstream_log.append(Position(aggregate="run", id="r1"), [run_requested()], cause=CAUSE)
    with process(tmp_path, nats_url) as gateway:
        async with (
            httpx.AsyncClient(base_url=await address(tmp_path)) as client,
            client.stream("GET", "/api/runs/r1/logs/stream") as response,
        ):
            assert response.status_code == 200
            gateway.send_signal(signal.SIGTERM)
            await eventually(lambda: gateway.poll() is not None)
        assert gateway.returncode == 0


@pytest.mark.nats
async def test_killed_in_the_middle_it_goes_on_where_it_was(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    for n in range(3):
        (tmp_path / "address").unlink(missing_ok=True)
        with process(tmp_path, nats_url) as gateway:
            url = await address(tmp_path)
            position = Position(aggregate="run", id=f"r{n}")
            await jetstream_log.append(position, [run_requested()], cause=CAUSE)

            async def all_there(url: str = url, count: int = n + 1) -> bool:
                async with httpx.AsyncClient(base_url=url) as client:
                    return len((await client.get("/api/runs")).json()["items"]) == count

            await eventually(all_there)
            gateway.send_signal(signal.SIGKILL)


def ended(**more: str) -> tuple[int, str]:
    done = subprocess.run(COMMAND, env=environment(**more), capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_a_wrong_environment_is_named(tmp_path: Path) -> None:
    code, words = ended(FASTFLOW_HOME=str(tmp_path), FASTFLOW_PORT="many")
    assert (code, "FASTFLOW_PORT" in words) == (2, True)


def test_it_does_not_serve_strangers_by_accident(tmp_path: Path) -> None:
    code, words = ended(FASTFLOW_HOME=str(tmp_path), FASTFLOW_HOST="0.0.0.0")
    assert (code, "--insecure" in words) == (2, True)


def test_without_nats_it_says_so_and_ends(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"nats://127.0.0.1:{unused.getsockname()[1]}"
        began = time.monotonic()
        code, words = ended(FASTFLOW_HOME=str(tmp_path), FASTFLOW_PORT="0", FASTFLOW_NATS_URL=url)
    assert (code, url in words) == (1, True)
    assert time.monotonic() - began < 60


def test_building_the_application_touches_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    build(GatewaySettings(home=home, nats_url="nats://nobody.invalid:1"))
    server_of(GatewaySettings(home=home, nats_url="nats://nobody.invalid:1"))
    assert not home.exists()

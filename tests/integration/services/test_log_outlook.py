"""Health, metrics and the doctor tell how large the log is, and when it is full, once that can be known."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastflow_cli.doctor.log import log as doctors_word
from fastflow_cli.home import Home
from fastflow_cli.local.ports import any_free
from fastflow_cli.local.state import UpState, locked, write_state
from fastflow_events import subjects
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.topology import EVENTS
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway
from fastflow_scheduler.testing import scheduling
from nats.aio.client import Client
from nats.aio.msg import Msg

pytestmark = pytest.mark.nats

GB = 10**9


@pytest_asyncio.fixture
async def ten_days_old(nc: Client) -> AsyncGenerator[None]:
    """The server's answer for a log that grew by a gigabyte a day; there is no other way to have an old one."""

    async def answer(message: Msg) -> None:
        now = datetime.now(UTC)
        begin = (now - timedelta(days=10)).isoformat()
        state = {"bytes": 10 * GB, "messages": 7, "first_seq": 1, "first_ts": begin}
        fields = {"config": {"max_bytes": 100 * GB}, "state": state, "created": begin, "ts": now.isoformat()}
        await message.respond(json.dumps(fields).encode())

    subscription = await nc.subscribe(subjects.size_of(EVENTS), cb=answer)
    await nc.flush()
    yield
    await subscription.unsubscribe()


async def said_by(url: str) -> tuple[Any, str]:
    async with httpx.AsyncClient(base_url=url, timeout=20) as http:
        ready = await http.get("/health/ready")
        return ready.json()["log"], (await http.get("/metrics")).text


async def test_of_a_young_log_the_gateway_tells_the_size_and_no_forecast(
    nats_url: str, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await jetstream_log.append(Position(aggregate="run", id="r1"), [run_requested()], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as url:
        log, metrics = await said_by(url)
    info = await nc.jetstream().stream_info(EVENTS)
    assert (log["bytes"], log["max_bytes"]) == (info.state.bytes, info.config.max_bytes)
    assert (log["full_in_days"], log["forecast"]) == (None, "")
    assert f'fastflow_log_bytes{{stream="{EVENTS}"}} {float(info.state.bytes)}' in metrics
    assert "fastflow_log_full_in_days{" not in metrics


@pytest.mark.usefixtures("ten_days_old")
async def test_the_gateway_and_the_doctor_tell_when_an_old_log_is_full(nats_url: str, tmp_path: Path) -> None:
    async with running_gateway(nats_url, tmp_path) as url:
        log, metrics = await said_by(url)
        home = Home(tmp_path / "home")
        home.make()
        with locked(home):
            write_state(home, up_at(url))
            [finding] = await asyncio.to_thread(doctors_word, home)
        assert doctors_word(home) == [], "nothing runs there any more"
    assert 0 <= log["full_in_days"] <= 80.0  # sooner where the disk of this machine is full before
    assert log["bytes_per_day"] == pytest.approx(GB, rel=0.01)
    assert log["forecast"].startswith("the log is full")
    assert f'fastflow_log_full_in_days{{stream="{EVENTS}"}}' in metrics
    assert log["forecast"] in finding.detail


@pytest.mark.usefixtures("ten_days_old")
async def test_the_scheduler_tells_it_too(nats_url: str, tmp_path: Path) -> None:
    port = any_free()
    async with scheduling(nats_url, tmp_path, health_port=port):

        async def answers() -> bool:
            try:
                return bool(await said_by(f"http://127.0.0.1:{port}"))
            except httpx.TransportError:
                return False

        await eventually(answers)
        log, metrics = await said_by(f"http://127.0.0.1:{port}")
    assert log["forecast"].startswith("the log is full")
    assert f'fastflow_log_full_in_days{{stream="{EVENTS}"}}' in metrics


def up_at(url: str) -> UpState:
    return UpState(
        pid=1,
        ready=True,
        url=url,
        nats_url="",
        executor="process",
        why="",
        git_url="",
        branch=None,
        started_at="",
    )

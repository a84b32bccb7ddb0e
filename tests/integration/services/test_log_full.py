"""A log that is nearly full: nothing new is started, and what runs can still end."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastflow_events.aggregates.run.commands import ClaimAttempt, FinishAttempt, RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunDispatched, RunFinished
from fastflow_events.execute import execute
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.topology import EVENTS
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
from fastflow_gateway.testing import running_gateway
from fastflow_scheduler.testing import living_runners, scheduling
from nats.aio.client import Client

pytestmark = pytest.mark.nats

PADDING = 40
SHARE = 0.92


async def facts(log: JetStreamLog, run_id: str, kind: type) -> list[object]:
    return [fact for fact in (await log.load("run", run_id)).facts if isinstance(fact, kind)]


async def bound(nc: Client, share: float) -> None:
    """Let the stream be as full as that."""
    js = nc.jetstream()
    info = await js.stream_info(EVENTS)
    await js.update_stream(info.config.evolve(max_bytes=int(info.state.bytes / share)))


async def ask(log: JetStreamLog, run_id: str) -> None:
    await execute(log, run_decider, run_id, RequestRun(request=run_requested()), cause=CAUSE)


@asynccontextmanager
async def serving(url: str, home: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        living_runners(url),
        scheduling(url, home),
        running_gateway(url, home) as base,
        httpx.AsyncClient(base_url=base, timeout=20) as api,
    ):
        yield api


async def test_a_log_that_is_nearly_full_starts_nothing_and_lets_what_runs_end(
    nats_url: str, jetstream_log: JetStreamLog, nc: Client, tmp_path: Path
) -> None:
    fields = {"description": "x" * 10_000}
    versions = [version_stored(definition=fields) for _ in range(PADDING)]
    news = [*versions, pipeline_discovered(definition=fields)]
    await jetstream_log.append(Position(aggregate="pipeline", id="hello"), news, cause=CAUSE)
    async with serving(nats_url, tmp_path):
        await ask(jetstream_log, "r1")
        await eventually(lambda: facts(jetstream_log, "r1", RunDispatched), within_s=30)
    await execute(jetstream_log, run_decider, "r1", ClaimAttempt(attempt=1, holder=holder()), cause=CAUSE)
    await ask(jetstream_log, "r2")
    await bound(nc, SHARE)
    async with serving(nats_url, tmp_path) as api:

        async def refused() -> bool:
            answer = await api.post("/api/pipelines/hello/run", json={})
            return bool((answer.status_code, answer.json().get("type")) == (503, "urn:fastflow:log-full"))

        async def says_why() -> bool:
            run = (await api.get("/api/runs/r2")).json()
            return "full" in (run.get("waiting_for") or {}).get("reason", "")

        await eventually(refused, within_s=30)
        await eventually(says_why, within_s=30)
        done = FinishAttempt(holder=holder(), finished=attempt_finished())
        await execute(jetstream_log, run_decider, "r1", done, cause=CAUSE)
        await eventually(lambda: facts(jetstream_log, "r1", RunFinished), within_s=30)
        assert not await facts(jetstream_log, "r2", RunDispatched)
        await bound(nc, 0.1)
        await eventually(lambda: facts(jetstream_log, "r2", RunDispatched), within_s=30)

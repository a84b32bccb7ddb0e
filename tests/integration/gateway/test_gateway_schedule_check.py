"""A schedule is tried out before it is set."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.pipeline.events import PipelinePaused
from fastflow_events.aggregates.schedule.events import SchedulePaused
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_gateway.testing import caught_up, running_gateway

pytestmark = pytest.mark.nats

CHECK = "/api/schedules/check"


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows one pipeline with a schedule of its own."""
    found = pipeline_discovered(definition={"schedules": [{"id": "nightly", "cron": "0 3 * * *"}]})
    await jetstream_log.append(Position(aggregate="pipeline", id="hello"), [found], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await caught_up(client.get, jetstream_log)
        yield client


async def test_a_schedule_says_when_it_would_fire_and_stores_nothing(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    before = await jetstream_log.last_seq()
    answer = (await api.post(CHECK, json={"cron": "30 2 * * *", "timezone": "Europe/Berlin"})).json()
    assert answer["text"] == "at 02:30 every day"
    assert answer["text_message"]["code"] == "when.on_days"
    assert answer["text_message"]["args"]["times"] == {"code": "when.at_times", "args": {"times": ["02:30"]}}
    assert len(answer["next"]) == 10
    assert {remark["text_message"]["code"] for remark in answer["remarks"]} == {
        "clock.runs_later",
        "clock.first_time_only",
    }
    assert (await api.post(CHECK, json={"interval_s": 60, "pipeline": "hello"})).json()["text"] == "every minute"
    assert await jetstream_log.last_seq() == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/cron"),
        ({"cron": "soon"}, "/cron"),
        ({"cron": "@daily", "timezone": "Mars"}, "/timezone"),
        ({"interval_s": 60, "jitter_s": -1}, "/jitter_s"),
        ({"cron": "@daily", "pipeline": "hello", "run_config_id": "nobody"}, "/run_config_id"),
        ({"cron": "@daily", "unknown": 1}, "/unknown"),
    ],
)
async def test_what_is_wrong_is_named(api: httpx.AsyncClient, body: dict[str, object], pointer: str) -> None:
    answer = await api.post(CHECK, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    missing = await api.post(CHECK, json={"cron": "@daily", "pipeline": "nobody"})
    assert missing.status_code == 404


async def test_whoever_pauses_may_say_why(api: httpx.AsyncClient, jetstream_log: JetStreamLog) -> None:
    assert (await api.post("/api/pipelines/hello/pause", params={"why": "the source moves"})).status_code == 204
    fact = (await jetstream_log.load("pipeline", "hello")).facts[-1]
    assert isinstance(fact, PipelinePaused)
    assert fact.why == "the source moves"
    path = "/api/pipelines/hello/schedules/nightly/pause"
    assert (await api.post(path, params={"why": "no data at night"})).status_code == 204
    fact = (await jetstream_log.load("schedule", "hello:nightly")).facts[-1]
    assert isinstance(fact, SchedulePaused)
    assert fact.why == "no data at night"

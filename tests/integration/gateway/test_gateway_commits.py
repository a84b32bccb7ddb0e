"""Runs of commits that are not stored yet, asked for while git_sync is not there: whoever asked it would wait."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.fact import Fact
from fastflow_events.nats.client import Connection
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, version_stored
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway

pytestmark = pytest.mark.nats

RUN = "/api/pipelines/hello/run"


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows pipeline `hello`."""
    await store(jetstream_log, pipeline_discovered())
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:

        async def known() -> bool:
            return (await client.get("/api/pipelines/hello")).status_code == 200

        await eventually(known)
        yield client


async def store(log: JetStreamLog, fact: Fact) -> None:
    await log.append((await log.load("pipeline", "hello")).position, [fact], cause=CAUSE)


async def test_a_run_of_a_commit_that_nobody_knows_yet_is_accepted_without_asking_anybody(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    # git_sync is not there: whoever asked it would get no answer
    options = {"commit": "e" * 40, "params": {"COUNT": " 07 "}}
    key = {"Idempotency-Key": "monday"}
    answer = await api.post(RUN, json=options, headers=key)
    assert answer.status_code == 202
    [request] = (await jetstream_log.load("run", answer.json()["id"])).facts
    assert isinstance(request, RunRequested)
    assert (request.commit, request.params) == ("e" * 40, {"COUNT": " 07 "})
    picky = {"params": [{"name": "COUNT", "type": "integer"}]}
    await store(jetstream_log, version_stored(commit="e" * 40, definition=picky))
    assert (await api.post(RUN, json=options, headers=key)).json() == answer.json()
    refused = await api.post(RUN, json={**options, "params": {"COUNT": "many"}})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:fastflow:invalid-params")


async def test_a_commit_with_a_line_feed_behind_it_is_none(api: httpx.AsyncClient) -> None:
    for commit in ("e" * 40 + "\n", "e" * 41, "E" * 40):
        answer = await api.post(RUN, json={"commit": commit})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/commit")


async def test_over_nats_it_is_no_different(api: httpx.AsyncClient, nc: Connection) -> None:
    options = msgspec.json.encode({"commit": "e" * 40, "params": {"COUNT": "07"}})
    answer = msgspec.json.decode((await nc.request(subjects.request("hello"), options, timeout=20)).data)
    assert answer["status"] == "queued"
    assert (await api.get(f"/api/runs/{answer['run_id']}")).json()["commit"] == "e" * 40

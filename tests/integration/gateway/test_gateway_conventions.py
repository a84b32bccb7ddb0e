"""What holds for every route alike, asked of a real gateway."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.openapi import document
from fastflow_gateway.testing import running_gateway

pytestmark = pytest.mark.nats


@pytest_asyncio.fixture
async def api(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """A gateway that knows pipeline `hello`."""
    position = (await jetstream_log.load("pipeline", "hello")).position
    await jetstream_log.append(position, [pipeline_discovered()], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await eventually(lambda: is_ready(client))
        yield client


async def is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def test_the_contract_is_served_as_it_is_written_down(api: httpx.AsyncClient) -> None:
    assert (await api.get("/schema/openapi.json")).json() == document()

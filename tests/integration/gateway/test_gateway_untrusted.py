"""What the gateway shows of a run and of a pipeline with a fact that nobody can read."""

from pathlib import Path

import httpx
import pytest
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, run_requested
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats


async def test_what_cannot_be_trusted_is_marked_where_people_look(
    nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    for id in ("whole", "broken"):
        await jetstream_log.append(Position(aggregate="run", id=id), [run_requested()], cause=CAUSE)
        await jetstream_log.append(Position(aggregate="pipeline", id=id), [pipeline_discovered()], cause=CAUSE)
    for fact in ("run.broken.started", "pipeline.broken.changed"):
        await nc.jetstream().publish(f"fastflow.evt.{fact}", b"?")
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as api:

        async def listed(kind: str) -> dict[str, str]:
            items = (await api.get(f"/api/{kind}")).json()["items"]
            return {item.get("id", item.get("name")): item["untrusted"] for item in items}

        async def marked() -> bool:
            return all([any((await listed(kind)).values()) for kind in ("runs", "pipelines")])

        await eventually(marked)
        for kind in ("runs", "pipelines"):
            found = await listed(kind)
            assert found["whole"] == ""
            assert "cannot be read" in found["broken"]
            for id, untrusted in found.items():
                assert (await api.get(f"/api/{kind}/{id}")).json()["untrusted"] == untrusted

"""What the gateway shows of a run and of a pipeline with a fact that nobody can read."""

from pathlib import Path

import httpx
import pytest
from fastflow_events.jetstream_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, run_requested
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats


@pytest.mark.parametrize(("kind", "fact"), [("runs", "run.{}.started"), ("pipelines", "pipeline.{}.changed")])
async def test_what_cannot_be_trusted_is_marked_where_people_look(
    nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path, kind: str, fact: str
) -> None:
    for id in ("whole", "broken"):
        await jetstream_log.append(Position(aggregate="run", id=id), [run_requested()], cause=CAUSE)
        await jetstream_log.append(Position(aggregate="pipeline", id=id), [pipeline_discovered()], cause=CAUSE)
    await nc.jetstream().publish(f"fastflow.evt.{fact.format('broken')}", b"?")
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as api:

        async def marked() -> dict[str, str]:
            answer = await api.get(f"/api/{kind}")
            found = {item.get("id", item.get("name")): item["untrusted"] for item in answer.json()["items"]}
            return found if any(found.values()) else {}

        found = await eventually(marked)
        assert found["whole"] == ""
        assert "cannot be read" in found["broken"]
        one = (await api.get(f"/api/{kind}/broken")).json()
        assert one["untrusted"] == found["broken"]
        assert (await api.get(f"/api/{kind}/whole")).json()["untrusted"] == ""

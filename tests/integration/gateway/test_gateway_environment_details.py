"""One environment over HTTP: its packages, who asked for them, who is in it."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastflow_events.aggregates.environment.events import EnvironmentFailed, EnvironmentPrepared
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.specification import Requirements
from fastflow_events.ids import environment_id
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.builders import (
    CAUSE,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_requested,
    run_started,
    version_stored,
)
from fastflow_gateway.testing import caught_up, running_gateway

pytestmark = pytest.mark.nats
SHA = "5" * 64
ID = environment_id("docker", "3.11", "requirements", SHA)


async def test_an_environment_tells_its_packages_and_who_uses_it(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    async def say(aggregate: str, id: str, *facts: Any) -> None:
        await jetstream_log.append((await jetstream_log.load(aggregate, id)).position, list(facts), cause=CAUSE)

    asked = Requirements(source="requirements", text="idna\n", sha256=SHA)
    found = pipeline_discovered(requirements_sha256=SHA)
    await say("pipeline", "hello", version_stored(requirements=asked), found)
    lock = "idna==3.10 \\\n    --hash=sha256:0\nother==1.0\n"
    prepared = EnvironmentPrepared(engine="e", environment="0" * 32, lock=lock, python="3.11", uv="1", prepare_s=1.0)
    await say("environment", ID, prepared, EnvironmentFailed(engine="f", reason="no such package"))
    manifest = Manifest(executor="docker", container="c1", environment="0" * 32)
    await say("run", "r1", run_requested(), run_dispatched(), run_claimed(), run_started(manifest=manifest))
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as client:
        await caught_up(client.get, jetstream_log)
        shown = (await client.get(f"/api/environments/{ID}")).json()
        missing = await client.get("/api/environments/nobody")
    assert shown["lock"] == lock
    assert shown["packages"] == [
        {"name": "idna", "version": "3.10", "direct": True},
        {"name": "other", "version": "1.0", "direct": False},
    ]
    environment = shown["environment"]
    assert (environment["pipelines"], environment["failures"]) == (["hello"], {"f": "no such package"})
    assert shown["runs_open"] == ["r1"]
    assert missing.status_code == 404

"""Environments over HTTP: what was prepared, by whom it is used, and resolving it anew."""

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx
import pytest
from fastflow_events.aggregates.environment.events import EnvironmentFailed, EnvironmentPrepared, EnvironmentRefreshed
from fastflow_events.aggregates.pipeline.events import PipelineDiscovered
from fastflow_events.aggregates.run.specification import NOTEBOOK_PACKAGES
from fastflow_events.fact import Fact
from fastflow_events.ids import environment_id
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway

pytestmark = pytest.mark.nats
SHA = "5" * 64
READY = environment_id("docker", "3.11", "requirements", SHA)
FAILED = environment_id("process", "3.12", "uv_lock", SHA, added=NOTEBOOK_PACKAGES)


async def add(log: JetStreamLog, aggregate: str, id: str, *facts: Fact) -> None:
    await log.append(Position(aggregate=aggregate, id=id), facts, cause=CAUSE)


def discovered(definition: dict[str, object]) -> PipelineDiscovered:
    return PipelineDiscovered(
        repository="main", commit="a" * 40, tree="b" * 40, definition=definition, requirements_sha256=SHA
    )


async def typed(url: str, *words: str) -> str:
    """What the command prints on a wide terminal."""
    env = {**os.environ, "FASTFLOW_URL": url, "COLUMNS": "200"}
    command = (sys.executable, "-m", "fastflow_cli", *words)
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    return out.decode()


async def test_environments_are_listed_with_who_needs_them_and_refreshed_once(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    lock = "idna==3.10 \\\n    --hash=sha256:0\nsome @ git+https://x.example/y@1\n"
    prepared = EnvironmentPrepared(
        engine="e", environment="0" * 32, lock=lock, python="3.11.2", uv="0.9", prepare_s=1.5, size_bytes=2_000_000
    )
    await add(jetstream_log, "environment", READY, prepared)
    await add(jetstream_log, "environment", FAILED, EnvironmentFailed(engine="e", reason="no such package"))
    await add(jetstream_log, "pipeline", "plain", discovered({}))
    await add(jetstream_log, "pipeline", "book", discovered({"kind": "notebook", "python": "3.12"}))
    async with (
        running_gateway(nats_url, tmp_path) as base,
        httpx.AsyncClient(base_url=base, timeout=60) as api,
    ):

        async def both() -> bool:
            return len((await api.get("/api/pipelines")).json()["items"]) == 2

        await eventually(both, within_s=60)
        found = {item["id"]: item for item in (await api.get("/api/environments")).json()["items"]}
        assert set(found) == {READY, FAILED}
        ready, failed = found[READY], found[FAILED]
        assert (ready["status"], ready["packages"], ready["size_bytes"]) == ("ready", 2, 2_000_000)
        assert ready["installed"] == [{"engine": "e", "environment": "0" * 32}]
        assert (ready["pipelines"], ready["last_used_at"]) == (["plain"], None)
        assert (failed["status"], failed["failures"]) == ("failed", {"e": "no such package"})
        assert failed["pipelines"] == ["book"]
        for _ in range(2):
            answer = await api.post(f"/api/environments/{READY}/refresh")
            assert (answer.status_code, answer.json()["status"]) == (200, "stale")
        assert (await api.post(f"/api/environments/{'f' * 32}/refresh")).status_code == 404
        listed = await typed(base, "env", "list", "--json")
        assert [(item["id"], item["status"]) for item in json.loads(listed)["items"]] == [
            *sorted([(READY, "stale"), (FAILED, "failed")])
        ]
        table = await typed(base, "env", "list")
        assert "2.0 MB" in table
        assert json.loads(await typed(base, "env", "refresh", "plain", "--json"))["items"][0]["id"] == READY
    facts = (await jetstream_log.load("environment", READY)).facts
    assert [type(fact) for fact in facts] == [EnvironmentPrepared, EnvironmentRefreshed]

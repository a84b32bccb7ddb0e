"""Environments that nothing needs are given up, over HTTP and by the command; whatever is needed stays."""

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx
import pytest
from fastflow_events.aggregates.environment.events import EnvironmentDeleted, EnvironmentPrepared, EnvironmentRetired
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.specification import Requirements
from fastflow_events.fact import Fact
from fastflow_events.ids import environment_id
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.builders import (
    CAUSE,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
    version_stored,
)
from fastflow_gateway.testing import caught_up, running_gateway

pytestmark = pytest.mark.nats
ENGINE = "daemon/key"
HEAD, BEFORE, NOBODYS = (environment_id("docker", "3.11", "requirements", digit * 64) for digit in "567")
"""What a pipeline's head needs, a version before that somebody waits for, and nobody any more."""
CURRENT, SUPERSEDED, AWAITED, OCCUPIED, FREE = (letter * 32 for letter in "abcdf")
OLD_COMMIT = "b" * 40


def prepared(folder: str) -> EnvironmentPrepared:
    return EnvironmentPrepared(
        engine=ENGINE, environment=folder, lock="x", python="3.11.2", uv="1", prepare_s=1.0, size_bytes=3_000_000
    )


async def a_history(log: JetStreamLog) -> None:
    """One pipeline, a run that waits for an older version of it, and one that runs in an environment of nobody's."""

    async def add(aggregate: str, id: str, *facts: Fact) -> None:
        history = await log.load(aggregate, id)
        await log.append(history.position, facts, cause=CAUSE)

    await add("environment", HEAD, prepared(SUPERSEDED))
    await add("environment", HEAD, prepared(CURRENT))
    await add("environment", BEFORE, prepared(AWAITED))
    await add("environment", NOBODYS, prepared(OCCUPIED))
    await add("environment", NOBODYS, prepared(FREE))
    wanted = Requirements(source="requirements", text="x", sha256="6" * 64)
    await add("pipeline", "hello", pipeline_discovered(requirements_sha256="5" * 64))
    await add("pipeline", "hello", version_stored(commit=OLD_COMMIT, tree="8" * 40, requirements=wanted))
    await add("run", "waits", run_requested(commit=OLD_COMMIT))
    await add("run", "runs", run_requested(), run_dispatched())
    manifest = Manifest(executor="docker", container="c1", environment=OCCUPIED)
    await add("run", "runs", run_claimed(), run_started(manifest=manifest))


async def typed(url: str, *words: str) -> str:
    """What the command prints on a wide terminal."""
    env = {**os.environ, "FASTFLOW_URL": url, "COLUMNS": "200"}
    command = (sys.executable, "-m", "fastflow_cli", "env", *words)
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    return out.decode()


async def test_what_no_head_and_no_run_needs_is_retired_once_and_nothing_else(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await a_history(jetstream_log)
    async with running_gateway(nats_url, tmp_path) as url, httpx.AsyncClient(base_url=url, timeout=60) as api:
        recent = (await api.post("/api/environments/gc")).json()
        assert (recent["items"], recent["kept"]) == ([], 5)
        asked = (await api.post("/api/environments/gc", params={"keep_days": 0, "dry_run": True})).json()
        assert [item["environment"] for item in asked["items"]] == [SUPERSEDED, FREE]
        assert (asked["size_bytes"], asked["kept"], asked["dry_run"]) == (6_000_000, 3, True)
        assert FREE in await typed(url, "gc", "--keep-days", "0", "--dry-run")
        assert len((await jetstream_log.load("environment", NOBODYS)).facts) == 2
        done = json.loads(await typed(url, "gc", "--keep-days", "0", "--json"))
        assert done["items"] == asked["items"]
        assert (await api.post("/api/environments/gc", params={"keep_days": 0})).json()["items"] == []
        listed = {item["id"]: item for item in (await api.get("/api/environments")).json()["items"]}
        assert {listed[id]["status"] for id in (HEAD, BEFORE, NOBODYS)} == {"ready"}

        history = await jetstream_log.load("run", "runs")
        await jetstream_log.append(history.position, [run_finished()], cause=CAUSE)
        await caught_up(api.get, jetstream_log)
        assert OCCUPIED in await typed(url, "gc", "--keep-days", "0")
        gone = [EnvironmentDeleted(engine=ENGINE, environment=folder) for folder in (OCCUPIED, FREE)]
        history = await jetstream_log.load("environment", NOBODYS)
        await jetstream_log.append(history.position, gone, cause=CAUSE)
        await caught_up(api.get, jetstream_log)
        listed = {item["id"]: item for item in (await api.get("/api/environments")).json()["items"]}
        assert (listed[NOBODYS]["status"], listed[NOBODYS]["installed"]) == ("retired", [])
        assert (await api.post("/api/environments/gc", params={"keep_days": -1})).status_code == 400
    facts = (await jetstream_log.load("environment", NOBODYS)).facts
    assert [each.environments for each in facts if isinstance(each, EnvironmentRetired)] == [(FREE,), (OCCUPIED,)]

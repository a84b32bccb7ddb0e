"""Branches against what is there besides Git: chains of the API, environments, params at other commits."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio
from fastflow_events.aggregates.environment.events import EnvironmentPrepared
from fastflow_events.ids import environment_id
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.recorded import Position
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
from fastflow_gateway.testing import running_gateway
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.repository import Repository

pytestmark = pytest.mark.nats


class World(NamedTuple):
    """A gateway and a git_sync, each behind its own account, and the repository that is watched."""

    api: httpx.AsyncClient
    bus: Bus
    repository: Repository


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    keys, repository = tmp_path / "keys", Repository(tmp_path / "origin")
    repository.commit({"hello/main.py": "print(1)\n"})
    make_keys(keys)
    config = (keys / PUBLIC_FILE).read_text()
    with nats_server(tmp_path / "nats", config=config) as url:
        deployer, ours = (
            Settings(nats_url=url, nats_seed_file=seed_path(keys, "deployer")),
            seed_path(keys, "git_sync"),
        )
        settings = GitSyncSettings(
            nats_url=url,
            nats_seed_file=ours,
            home=tmp_path,
            git_url=repository.url,
            git_any_commit=True,
            poll_every_s=0,
        )
        async with connect(deployer, "deployer") as nc:
            await deploy(nc)
            bus = Bus(JetStreamLog(nc, source="/fastflow/test/1"), settings)
            async with (
                running(settings),
                running_gateway(url, tmp_path, nats_seed_file=seed_path(keys, "gateway")) as base,
                httpx.AsyncClient(base_url=base, timeout=60) as api,
            ):

                async def known() -> bool:
                    return (await api.get("/api/pipelines/hello")).is_success

                await eventually(known, within_s=60)
                yield World(api, bus, repository)


async def test_a_plan_knows_chains_of_the_api_and_environments_that_are_installed(world: World) -> None:
    repository = world.repository
    repository.commit({"next/main.py": ""})
    await world.bus.sync()

    async def there() -> bool:
        return (await world.api.get("/api/pipelines/next")).status_code == 200

    await eventually(there, within_s=60)
    chained = await world.api.post("/api/pipelines/next/downstream-triggers", json={"downstream_pipeline": "hello"})
    assert chained.is_success, chained.text
    repository.git("checkout", "--quiet", "-b", "circle")
    text = "requests\n"
    files = {"hello/pipeline.json": '{"downstream_triggers": [{"pipeline": "next"}]}', "hello/requirements.txt": text}
    repository.commit(files)
    repository.git("checkout", "--quiet", "main")
    plan = (await world.api.get("/api/sync/plan", params={"ref": "circle"})).json()
    assert plan["cycles"] == [["hello", "next", "hello"]]
    assert [e["pipelines"] for e in plan["environments"]] == [["hello"]]
    sha256 = plan["environments"][0]["requirements_sha256"]
    id = environment_id("docker", "3.11", "requirements", sha256)
    prepared = EnvironmentPrepared(engine="e", environment="0" * 64, lock="x", python="3.11", uv="0.9", prepare_s=1.0)
    await world.bus.log.append(Position(aggregate="environment", id=id), [prepared], cause=CAUSE)
    plan = (await world.api.get("/api/sync/plan", params={"ref": "circle"})).json()
    assert plan["environments"] == []


async def test_params_of_a_run_are_those_of_its_commit_stored_or_not(world: World) -> None:
    repository = world.repository
    first = repository.head()
    params = [{"name": "day", "type": "date", "required": True}]
    repository.git("checkout", "--quiet", "-b", "typed")
    typed = repository.commit({"hello/pipeline.json": json.dumps({"params": params})})
    repository.git("checkout", "--quiet", "main")

    async def options(commit: str, **given: str) -> tuple[int, str]:
        answer = await world.api.post("/api/pipelines/hello/run", json={"commit": commit, "params": given})
        return answer.status_code, answer.text

    assert (await options(typed, day="soon"))[0] == 202  # nobody has stored that commit; the scheduler judges it then
    assert (await options(typed, day="2026-03-01"))[0] == 202
    await world.bus.stored("hello", typed)
    status, words = await options(typed, day="soon")
    assert status == 422, words  # the log knows by now
    assert "day" in words
    assert (await options(first, anything="goes"))[0] == 202

"""git_sync as a process of its own, with its own account on the bus, killed at any moment."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.pipeline.events import PipelineDiscovered, PipelineVersionStored
from fastflow_events.aggregates.repository.decider import repository_decider
from fastflow_events.nats.bundles import read_bundle
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
from fastflow_git_sync.testing.repository import Repository

pytestmark = pytest.mark.nats
PIPELINES = 25


@pytest_asyncio.fixture
async def env(tmp_path: Path, nats_url: str) -> AsyncGenerator[dict[str, str]]:
    """A server with our accounts, and what git_sync is told; `nats_url` only decides whether there is a server."""
    assert nats_url
    keys = tmp_path / "keys"
    make_keys(keys)
    with nats_server(tmp_path / "bus", config=f'include "../keys/{PUBLIC_FILE}"\n') as url:
        async with connect(Settings(nats_url=url, nats_seed_file=seed_path(keys, "deployer")), "deployer") as nc:
            await deploy(nc)
        yield {
            "PATH": os.environ["PATH"],
            "FASTFLOW_NATS_URL": url,
            "FASTFLOW_NATS_SEED_FILE": str(seed_path(keys, "git_sync")),
            "FASTFLOW_HOME": str(tmp_path / "home"),
            "FASTFLOW_POLL_EVERY_S": "1",
            "KEYS": str(keys),
        }


async def start(env: dict[str, str]) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "fastflow_git_sync")
    with log_of(env).open("wb") as log:
        return await asyncio.create_subprocess_exec(*command, env=env, stderr=log)


def log_of(env: dict[str, str]) -> Path:
    """What the newest process says."""
    return Path(env["KEYS"]).with_name("git_sync.log")


async def end(env: dict[str, str], process: asyncio.subprocess.Process) -> None:
    """SIGTERM once the process handles it, which it does by the time it says where its health is."""
    await eventually(lambda: "health_listening" in log_of(env).read_text(), within_s=60)
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 60) == 0, log_of(env).read_text()


async def kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


def reader(env: dict[str, str]) -> Settings:
    return Settings(nats_url=env["FASTFLOW_NATS_URL"], nats_seed_file=seed_path(Path(env["KEYS"]), "runner-1"))


async def commit_of(nc: Connection) -> str | None:
    log = JetStreamLog(nc, source="/fastflow/test/1")
    return repository_decider.fold((await log.load("repository", "main")).facts).commit


async def test_killed_at_any_moment_it_says_everything_once(env: dict[str, str], tmp_path: Path) -> None:
    repository = Repository(tmp_path / "origin")
    files: dict[str, str | bytes | None] = {f"p{n}/main.py": str(n) for n in range(PIPELINES)}
    commit = repository.commit(files | {f"p{n}/data.bin": os.urandom(200_000) for n in range(PIPELINES)})
    env["FASTFLOW_GIT_URL"] = repository.url
    random_bytes = random.Random(7)
    async with connect(reader(env), "runner-1") as nc:
        log = JetStreamLog(nc, source="/fastflow/test/1")
        for target in sorted(random_bytes.sample(range(1, 2 * PIPELINES), 4)):
            process = await start(env)

            async def far_enough(target: int = target) -> bool:
                return await log.last_seq() >= target

            await eventually(far_enough, within_s=60)
            await kill(process)
        process = await start(env)

        async def synced() -> bool:
            return await commit_of(nc) == commit

        await eventually(synced, within_s=60)
        for n in range(PIPELINES):
            facts = (await log.load("pipeline", f"p{n}")).facts
            assert [type(fact) for fact in facts] == [PipelineVersionStored, PipelineDiscovered]
            assert isinstance(facts[0], PipelineVersionStored)
            assert facts[0].tree == repository.tree(f"p{n}")
            assert len(await read_bundle(nc, facts[0].tree)) == facts[0].bundle_bytes
        await end(env, process)


async def test_an_environment_that_makes_no_sense_is_said_and_ends_it(env: dict[str, str]) -> None:
    process = await start(env | {"FASTFLOW_POLL_EVERY_S": "soon"})
    assert await process.wait() == 2
    process = await start(env | {"FASTFLOW_GIT_URL": "ext::sh -c id"})
    assert await process.wait() == 1


async def test_what_a_hook_left_in_the_environment_does_not_reach_git(env: dict[str, str], tmp_path: Path) -> None:
    repository = Repository(tmp_path / "origin")
    commit = repository.commit({"hello/main.py": ""})
    inherited = {"GIT_DIR": "/nowhere", "GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_REPO_URL": repository.url}
    process = await start(env | inherited)
    async with connect(reader(env), "runner-1") as nc:

        async def synced() -> bool:
            return await commit_of(nc) == commit

        await eventually(synced, within_s=60)
    await end(env, process)

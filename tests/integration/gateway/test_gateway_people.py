"""Commits without people: facts say ids alone, and what Git says of them is read from beside the log."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio
from fastflow_events import subjects
from fastflow_events.aggregates.run.commands import DispatchAttempt
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.execute import execute
from fastflow_events.nats.client import Connection
from fastflow_events.nats.direct_get import get_all
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.topology import COMMITS, EVENTS, key
from fastflow_events.testing.builders import CAUSE, specification
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import caught_up, running_gateway
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.repository import Repository

pytestmark = pytest.mark.nats
AUTHOR, ADDRESS = "Zebulon Quux", "zeb@quux.example"
WORDS = "Teach the tax its rate"


class World(NamedTuple):
    """A gateway, and a repository of which somebody with a name is the author."""

    api: httpx.AsyncClient
    bus: Bus
    repository: Repository
    nc: Connection


def signed(repository: Repository, content: str) -> str:
    repository.commit({"hello/main.py": content})
    repository.git("commit", "--quiet", "--amend", f"--author={AUTHOR} <{ADDRESS}>", "-m", f"{WORDS}\n\nAnd more.")
    return repository.head()


@pytest_asyncio.fixture
async def world(nc: Connection, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[World]:
    repository = Repository(tmp_path / "origin")
    bus = Bus.watching(repository.url, jetstream_log, nats_url, tmp_path / "git")
    signed(repository, "1")
    async with (
        running_gateway(nats_url, tmp_path) as base,
        httpx.AsyncClient(base_url=base, timeout=30) as api,
    ):
        yield World(api, bus, repository, nc)


async def run_of(world: World, **body: Any) -> str:
    answer = await world.api.post("/api/pipelines/hello/run", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def said_of(world: World, path: str) -> tuple[str, str]:
    found = (await world.api.get(path)).json()
    return found["commit_subject"], found["commit_author"]


async def test_after_a_whole_story_no_fact_names_an_author_and_every_answer_does(world: World) -> None:
    first = world.repository.head()
    async with running(world.bus.settings):
        await world.bus.synced(first)
        second = signed(world.repository, "2")
        await world.bus.sync()
        await world.bus.synced(second)
        await caught_up(world.api.get, world.bus.log)
        newest, oldest = await run_of(world), await run_of(world, commit=first)
        frozen = specification(commit=second, branch="main")
        await execute(
            world.bus.log,
            run_decider,
            newest,
            DispatchAttempt(pool="default", term=1, specification=frozen),
            cause=CAUSE,
        )
        await caught_up(world.api.get, world.bus.log)
        for path in (f"/api/runs/{newest}", f"/api/runs/{oldest}", "/api/repositories/main"):
            assert await said_of(world, path) == (WORDS, AUTHOR)
        listed = (await world.api.get("/api/runs")).json()["items"]
        assert {(run["commit_subject"], run["commit_author"]) for run in listed} == {(WORDS, AUTHOR)}
        assert all(run["committed_at"] for run in listed)
    stored = [message async for message in get_all(world.nc, EVENTS, subject=subjects.EVENTS)]
    assert len(stored) > 8
    for message in stored:
        everything = message.data + repr(message.headers).encode()
        for person in (AUTHOR, "Quux", ADDRESS, "ann@example.org", WORDS):
            assert person.encode() not in everything, message.subject


async def test_what_git_says_is_kept_anew_where_it_was_lost(world: World) -> None:
    first = world.repository.head()
    async with running(world.bus.settings):
        await world.bus.synced(first)
        second = signed(world.repository, "2")
        await world.bus.sync()
        await world.bus.synced(second)
        for _ in range(2):  # lost while git_sync runs, and then while it does not
            await world.nc.jetstream().purge_stream(COMMITS)
            await world.bus.sync()

            async def kept() -> bool:
                subject = key(COMMITS, "*")
                found = {message.subject async for message in get_all(world.nc, COMMITS, subject=subject)}
                return found == {key(COMMITS, first), key(COMMITS, second)}

            await eventually(kept)
    await world.nc.jetstream().purge_stream(COMMITS)
    async with running(world.bus.settings):
        await eventually(kept)


async def test_an_answer_without_what_git_says_is_an_answer(world: World) -> None:
    async with running(world.bus.settings):
        await world.bus.synced(world.repository.head())
    await world.nc.jetstream().purge_stream(COMMITS)
    await caught_up(world.api.get, world.bus.log)
    run = await run_of(world)
    assert await said_of(world, f"/api/runs/{run}") == ("", "")
    await world.nc.jetstream().delete_stream(COMMITS)
    answer = await world.api.get("/api/repositories")
    assert answer.status_code == 200
    assert answer.json()["items"][0]["commit_author"] == ""

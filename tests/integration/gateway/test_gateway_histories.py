"""Histories, files, branches and checks of repositories: a real gateway, a real git_sync, real repositories."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_gateway.testing import caught_up, running_gateway
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.http_server import http_host
from fastflow_git_sync.testing.repository import Repository
from msgspec.structs import replace

pytestmark = pytest.mark.nats


class World(NamedTuple):
    """Both services and the repository that is watched."""

    api: httpx.AsyncClient
    bus: Bus
    repository: Repository
    commits: list[str]


@pytest_asyncio.fixture
async def world(nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path) -> AsyncGenerator[World]:
    repository = Repository(tmp_path / "origin")
    commits = [
        repository.commit({"jobs/hello/main.py": "1", "jobs/hello/pipeline.json": '{"timeout": 5, "tags": ["a"]}'}),
        repository.commit({"jobs/other/main.py": "1"}),
        repository.commit({"jobs/hello/pipeline.json": '{"timeout": 6, "tags": ["a"]}', "jobs/hello/lib/ü b.py": ""}),
        repository.commit({"jobs/hello/main.py": "2"}),
    ]
    repository.git("branch", "feature/x", commits[0])
    bus = Bus.watching(repository.url, jetstream_log, nats_url, tmp_path / "git")
    settings = replace(bus.settings, git_subfolder="jobs", git_allow_private=True)
    async with (
        running(settings),
        running_gateway(nats_url, tmp_path) as base,
        httpx.AsyncClient(base_url=base, timeout=60) as api,
    ):
        await bus.synced(commits[-1])
        await caught_up(api.get, jetstream_log)
        yield World(api, bus, repository, commits)


async def test_a_pipeline_has_a_history_with_what_each_commit_changed(world: World) -> None:
    found = (await world.api.get("/api/pipelines/hello/versions")).json()
    first, _, second, third = world.commits
    assert [version["commit"] for version in found["items"]] == [third, second, first]
    assert [version["changed"] for version in found["items"]] == [[], ["timeout"], ["tags", "timeout"]]
    assert found["items"][1]["files"] == ["lib/ü b.py", "pipeline.json"]
    assert [version["is_current"] for version in found["items"]] == [True, False, False]
    assert {version["author"] for version in found["items"]} == {"Ann"}
    assert found["next"] is None
    assert (await world.api.get("/api/pipelines/nobody/versions")).status_code == 404


async def test_a_history_comes_page_by_page_while_the_head_moves_on(world: World) -> None:
    page = (await world.api.get("/api/pipelines/hello/versions", params={"limit": 1})).json()
    seen = [version["commit"] for version in page["items"]]
    newest = world.repository.commit({"jobs/hello/main.py": "3"})
    await world.bus.sync()
    await world.bus.synced(newest)
    while page["next"] is not None:
        params = {"limit": 1, "cursor": page["next"]}
        page = (await world.api.get("/api/pipelines/hello/versions", params=params)).json()
        seen += [version["commit"] for version in page["items"]]
    assert seen == [world.commits[3], world.commits[2], world.commits[0]]
    for cursor in ("1", f"{'c' * 40}.x", f"{'C' * 40}.1"):
        answer = await world.api.get("/api/pipelines/hello/versions", params={"cursor": cursor})
        assert answer.status_code == 400
    unknown = await world.api.get("/api/pipelines/hello/versions", params={"cursor": f"{'c' * 40}.1"})
    assert unknown.status_code == 404


async def test_a_folder_that_went_and_came_back_says_so(world: World) -> None:
    world.repository.commit({"jobs/other/main.py": None})
    head = world.repository.commit({"jobs/other/main.py": "1"})
    await world.bus.sync()
    await world.bus.synced(head)
    await caught_up(world.api.get, world.bus.log)
    found = (await world.api.get("/api/pipelines/other/versions")).json()
    assert [version["tree"] is None for version in found["items"]] == [False, True, False]


async def test_the_files_at_the_head_are_shown(world: World) -> None:
    found = (await world.api.get("/api/pipelines/hello/code")).json()
    assert [file["path"] for file in found["items"]] == ["lib/ü b.py", "main.py", "pipeline.json"]
    assert (found["commit"], found["entry_point"]) == (world.commits[-1], "main.py")
    assert (await world.api.get("/api/pipelines/hello/code/main.py")).text == "2"
    assert (await world.api.get("/api/pipelines/hello/code/none.py")).status_code == 404


async def test_the_branches_of_the_host_are_listed(world: World) -> None:
    found = (await world.api.get("/api/repositories/main/refs")).json()
    assert [(ref["name"], ref["commit"], ref["is_watched"]) for ref in found["items"]] == [
        ("feature/x", world.commits[0], False),
        ("main", world.commits[-1], True),
    ]
    assert (await world.api.get("/api/repositories/nobody/refs")).status_code == 404


async def test_a_repository_is_looked_into_before_it_is_watched_and_nothing_is_stored(
    world: World, tmp_path: Path
) -> None:
    other = Repository(tmp_path / "other")
    commit = other.commit({"good/main.py": "", "bad/main.py": "", "bad/pipeline.json": "{", "docs/x.md": ""})
    before = await world.bus.log.last_seq()
    with http_host(tmp_path, user="ann", password="s3cret-t0ken") as host:
        url = f"{host.url.replace('//', '//ann@')}other/.git"
        found = (await world.api.post("/api/repositories/check", json={"url": url, "token": "s3cret-t0ken"})).json()
        assert (found["is_readable"], found["commit"], found["branches"]) == (True, commit, ["main"])
        assert [(each["name"], bool(each["errors"])) for each in found["pipelines"]] == [("bad", True), ("good", False)]
        wrong = await world.api.post("/api/repositories/check", json={"url": url, "token": "wrong"})
        assert (wrong.status_code, wrong.json()["is_readable"]) == (200, False)
        assert wrong.json()["reason"]
        assert "wrong" not in wrong.json()["reason"]
    local = (await world.api.post("/api/repositories/check", json={"url": other.url})).json()
    assert local["reason"] == "folders of this machine need FASTFLOW_GIT_ALLOW_FILES"
    assert (await world.api.post("/api/repositories/check", json={"url": "ext::sh"})).status_code == 422
    assert await world.bus.log.last_seq() == before
    assert not list((world.bus.settings.home / "once").iterdir())

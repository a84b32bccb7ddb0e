"""Repositories, push hooks, plans and code over HTTP: a real gateway, a real git_sync, real repositories."""

import hmac
import io
import json
import tarfile
from collections.abc import AsyncGenerator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx
import pytest
import pytest_asyncio
import zstandard
from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.aggregates.run.commands import DispatchAttempt
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.execute import execute
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE, specification
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
from fastflow_gateway.testing import caught_up, running_gateway
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.http_server import http_host
from fastflow_git_sync.testing.repository import Repository
from msgspec.structs import replace

pytestmark = pytest.mark.nats
SECRET = "0123456789abcdef"


class World(NamedTuple):
    """Both services, each behind its own account, and the repository that is watched."""

    api: httpx.AsyncClient
    bus: Bus
    repository: Repository


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    keys, repository = tmp_path / "keys", Repository(tmp_path / "origin")
    repository.commit({"hello/main.py": "print(1)\n", "hello/lib/a.py": "A = 1\n"}, {"hello/link": "main.py"})
    make_keys(keys)
    (tmp_path / "hooks").write_text(f"{SECRET}\n")
    config = (keys / PUBLIC_FILE).read_text()
    with nats_server(tmp_path / "nats", config=config) as url:
        deployer = Settings(nats_url=url, nats_seed_file=seed_path(keys, "deployer"))
        async with connect(deployer, "deployer") as nc:
            await deploy(nc)
            settings = GitSyncSettings(
                nats_url=url,
                nats_seed_file=seed_path(keys, "git_sync"),
                home=tmp_path,
                git_url=repository.url,
                poll_every_s=0,
                git_allow_private=True,
            )
            bus = Bus(JetStreamLog(nc, source="/fastflow/test/1"), settings)
            more = {"nats_seed_file": seed_path(keys, "gateway"), "hook_secrets_file": tmp_path / "hooks"}
            async with (
                running(settings),
                running_gateway(url, tmp_path, **more) as base,
                httpx.AsyncClient(base_url=base, timeout=30) as api,
            ):
                await bus.synced(repository.head())
                world = World(api, bus, repository)
                await caught_up(api.get, bus.log)
                yield world


async def push(world: World, body: dict[str, Any], **headers: str) -> httpx.Response:
    raw = json.dumps(body).encode()
    signature = hmac.new(SECRET.encode(), raw, sha256).hexdigest()
    sent = {"x-github-event": "push", "x-hub-signature-256": f"sha256={signature}", **headers}
    return await world.api.post("/api/sync/hooks/github", content=raw, headers=sent)


def message(url: str, branch: str = "main", **more: Any) -> dict[str, Any]:
    return {"ref": f"refs/heads/{branch}", "repository": {"clone_url": url}, **more}


async def test_a_repository_is_watched_shown_and_removed_over_http(world: World, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    commit = other.commit({"second/main.py": ""})
    with http_host(tmp_path, user="ann", password="s3cret-t0ken") as host:
        body = {"url": f"{host.url.replace('//', '//ann@')}other/.git", "token": "s3cret-t0ken"}
        answer = await world.api.put("/api/repositories/team-b", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["credentials"] == "user ann, sealed token"
        await world.bus.synced(commit, "team-b")
        stolen = cast("RepositoryConfigured", (await world.bus.facts("repository", "team-b"))[0]).credentials
        moved = {"url": "https://evil.example/p", "sealed_token": stolen.sealed_token}
        refused = await world.api.put("/api/repositories/team-b", json=moved)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/sealed_token")
        assert f"given for {host.url}other/.git; another address needs it again" in refused.text

    async def synced() -> bool:
        row = (await world.api.get("/api/repositories/team-b")).json()
        return (row["status"], row["pipelines"]) == ("synced", 1)

    await eventually(synced)
    events = (await world.api.get("/api/events", params={"limit": 1000})).text
    assert "t0ken" not in events
    assert (await world.api.delete("/api/repositories/team-b")).status_code == 204
    await world.bus.phase("second", "absent")
    assert (await world.api.get("/api/repositories/team-b")).status_code == 404
    assert (await world.api.delete("/api/repositories/team-b")).status_code == 404
    assert (await world.api.post("/api/sync", json={"repository": "team-b"})).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "https://2130706433/p"}, "/url"),
        ({"url": "/srv/p", "token": "a"}, "/token"),
        ({"url": "ext::sh -c id"}, "/url"),
        ({"url": "https://ann:pw@git.example/p"}, "/url"),
        ({"url": "https://git.example/p", "branch": "-x"}, "/branch"),
        ({"url": "https://git.example/p", "subfolder": "../x"}, "/subfolder"),
        ({"url": "https://git.example/p", "token_file": "../x"}, "/token_file"),
        ({"url": "https://git.example/p", "sealed_token": "clear"}, "/sealed_token"),
        ({"url": "https://git.example/p", "token": "a", "token_file": "b"}, "/token_file"),
        ({"url": "https://git.example/p", "known_hosts": "ProxyCommand=id"}, "/known_hosts"),
        ({"url": "https://git.example/p", "brunch": "x"}, "/brunch"),
        ({}, "/url"),
    ],
)
async def test_what_cannot_be_watched_is_pointed_at_and_stored_nowhere(
    world: World, body: dict[str, str], pointer: str
) -> None:
    answer = await world.api.put("/api/repositories/x", json=body)
    assert answer.status_code == 422, answer.text
    assert "pw" not in answer.text
    if pointer != "/url" or body:
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert await world.bus.facts("repository", "x") == []


async def test_what_the_environment_says_cannot_be_changed_over_http(world: World) -> None:
    answer = await world.api.put("/api/repositories/main", json={"url": "https://git.example/p"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:fastflow:configured-by-environment"
    assert (await world.api.delete("/api/repositories/main")).status_code == 409


async def test_a_deploy_key_is_shown_with_its_public_half(world: World) -> None:
    assert (await world.api.post("/api/repositories/main/deploy-key")).status_code == 202

    async def shown() -> str:
        return str((await world.api.get("/api/repositories/main")).json()["public_key"])

    assert (await eventually(shown)).startswith("ssh-ed25519 ")
    assert (await world.api.post("/api/repositories/nobody/deploy-key")).status_code == 404


async def test_a_push_hook_syncs_once_however_often_it_comes(world: World) -> None:
    commit = world.repository.commit({"hello/main.py": "print(2)\n"})
    body = message(world.repository.url, after=commit)
    first = await push(world, body, **{"x-github-delivery": "1"})
    assert first.status_code == 202, first.text
    await world.bus.synced(commit)
    again = await push(world, body, **{"x-github-delivery": "2"})
    assert again.json() == first.json()
    assert (await world.bus.state()).requests == 1


async def test_a_push_to_another_branch_and_a_ping_change_nothing(world: World) -> None:
    assert (await push(world, message(world.repository.url, "other"))).json() == {"items": []}
    assert (await push(world, {"zen": "x"}, **{"x-github-event": "ping"})).json() == {"items": []}
    assert (await world.bus.state()).requests == 0


async def test_a_hook_of_a_stranger_is_refused_and_one_of_a_strange_repository_is_not_found(world: World) -> None:
    body = message(world.repository.url)
    forged = await push(world, body, **{"x-hub-signature-256": "sha256=" + "0" * 64})
    assert forged.status_code == 401
    assert (await push(world, message("https://git.example/else"))).status_code == 404
    assert (await world.api.post("/api/sync/hooks/svn", content=b"{}")).status_code == 404
    gitlab = {"x-gitlab-event": "Push Hook", "x-gitlab-token": SECRET}
    fields = {"object_kind": "push", "ref": "refs/heads/main", "project": {"git_http_url": world.repository.url}}
    assert (await world.api.post("/api/sync/hooks/gitlab", json=fields, headers=gitlab)).status_code == 202
    wrong = {**gitlab, "x-gitlab-token": "guess"}
    assert (await world.api.post("/api/sync/hooks/gitlab", json=fields, headers=wrong)).status_code == 401
    assert (await world.bus.state()).requests == 1


async def test_a_plan_says_what_a_branch_would_change_and_changes_nothing(world: World) -> None:
    repository = world.repository
    repository.git("checkout", "--quiet", "-b", "next")
    definition = '{"schedule_cron": "0 3 * * *", "secrets": ["KEY"], "downstream_triggers": [{"pipeline": "new"}]}'
    commit = repository.commit(
        {
            "hello/pipeline.json": definition,
            "new/main.py": "",
            "new/requirements.txt": "requests\n",
            "sick/main.py": "",
            "sick/pipeline.json": "{",
        }
    )
    repository.git("checkout", "--quiet", "main")
    before = await world.bus.log.last_seq()
    answer = await world.api.get("/api/sync/plan", params={"ref": "next"})
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert (plan["commit"], plan["base"], plan["repository"]) == (commit, repository.head(), "main")
    assert [(c["pipeline"], c["change"]) for c in plan["pipelines"]] == [
        ("hello", "changed"),
        ("new", "added"),
        ("sick", "broken"),
    ]
    assert plan["schedules"][0]["after"]["count"] == 7
    assert plan["schedules"][0]["before"] is None
    assert plan["chains"] == [{"upstream": "hello", "downstream": "new", "change": "added", "condition": "success"}]
    assert [e["pipelines"] for e in plan["environments"]] == [["new"]]
    assert plan["missing_secrets"] == [{"pipeline": "hello", "secret": "KEY"}]
    assert len(plan["problems"]) == 2
    assert await world.bus.log.last_seq() == before
    same = (await world.api.get("/api/sync/plan", params={"ref": repository.head()})).json()
    assert (same["pipelines"], same["unchanged"], same["problems"]) == ([], 1, [])
    for ref in ("nobody", "-x", "f" * 40):
        assert (await world.api.get("/api/sync/plan", params={"ref": ref})).status_code == 404
    nobody = await world.api.get("/api/sync/plan", params={"ref": "next", "repository": "nobody"})
    assert nobody.status_code == 404


async def asked(world: World, **more: Any) -> str:
    answer = await world.api.post("/api/pipelines/hello/run", json=more)
    assert answer.status_code == 202, answer.text
    run_id: str = answer.json()["id"]
    return run_id


async def test_the_code_of_a_run_is_exactly_that_of_its_commit(world: World) -> None:
    repository, run_id = world.repository, await asked(world)
    old = repository.head()
    repository.commit({"hello/main.py": "print('later')\n", "hello/lib/b.py": ""})
    await world.bus.sync()
    shown = (await world.api.get(f"/api/runs/{run_id}/code")).json()
    assert (shown["commit"], shown["tree"]) == (old, repository.tree("hello", old))
    assert [(i["path"], i["kind"]) for i in shown["items"]] == [
        ("lib/a.py", "file"),
        ("link", "link"),
        ("main.py", "file"),
    ]
    file = await world.api.get(f"/api/runs/{run_id}/code/main.py")
    assert file.content == b"print(1)\n"
    assert file.headers["content-type"] == "text/plain; charset=utf-8"
    assert "sandbox" in file.headers["content-security-policy"]
    assert (await world.api.get(f"/api/runs/{run_id}/code/lib/a.py")).text == "A = 1\n"
    archive = await world.api.get(f"/api/runs/{run_id}/code.tar.zst")
    plain = zstandard.ZstdDecompressor().stream_reader(archive.content).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert tar.getnames() == ["lib", "lib/a.py", "link", "main.py"]
    assert repository.git("show", f"{old}:hello/main.py") == file.text.strip()


async def test_a_file_that_is_not_in_the_code_and_a_run_that_is_not_there_are_not_found(world: World) -> None:
    run_id = await asked(world)
    for path in ("missing.py", "lib", "link", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd"):
        assert (await world.api.get(f"/api/runs/{run_id}/code/{path}")).status_code == 404
    assert (await world.api.get("/api/runs/nobody/code")).status_code == 404


async def test_what_was_dispatched_wins_over_what_was_asked_for(world: World) -> None:
    run_id, commit = await asked(world), world.repository.commit({"hello/main.py": "print('other')\n"})
    await world.bus.sync()
    frozen = replace(specification(), commit=commit, tree=world.repository.tree("hello"))
    dispatch = DispatchAttempt(pool="default", term=1, specification=frozen)
    await execute(world.bus.log, run_decider, run_id, dispatch, cause=CAUSE)
    assert (await world.api.get(f"/api/runs/{run_id}/code/main.py")).text == "print('other')\n"


async def test_params_are_checked_before_a_run_is_accepted(world: World) -> None:
    params = [{"name": "N", "type": "integer"}, {"name": "DAY", "type": "date", "required": True}]
    commit = world.repository.commit({"hello/pipeline.json": json.dumps({"params": params})})
    await world.bus.sync()

    async def current() -> bool:
        return str((await world.api.get("/api/pipelines/hello")).json()["commit"]) == commit

    await eventually(current)
    wrong = await world.api.post("/api/pipelines/hello/run", json={"params": {"N": "many", "DAI": "x"}})
    assert wrong.status_code == 422
    assert [e["pointer"] for e in wrong.json()["errors"]] == ["/params/N", "/params/DAI", "/params/DAY"]
    run_id = await asked(world, params={"N": " 5 ", "DAY": "2026-01-31"})
    assert (await world.api.get(f"/api/runs/{run_id}")).json()["params"] == {"N": "5", "DAY": "2026-01-31"}

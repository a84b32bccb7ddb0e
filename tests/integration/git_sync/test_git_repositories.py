"""Several repositories: named by the environment, by a file, or over the API; each with its own way in."""

import base64
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastflow_events import sealing, subjects
from fastflow_events.aggregates.pipeline.events import PipelineInvalid
from fastflow_events.aggregates.repository.commands import RemoveRepository, RequestDeployKey
from fastflow_events.aggregates.repository.events import Credentials, RepositoryDeployKeyGenerated
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.stored_files import stored_files
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.http_server import http_host
from fastflow_git_sync.testing.repository import Repository
from fastflow_git_sync.testing.ssh_server import find_sshd, ssh_host
from fastflow_rules.remote import remote
from msgspec.structs import replace
from nats.aio.client import Client

pytestmark = pytest.mark.nats


@pytest.fixture
def a(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "a")


@pytest.fixture
def b(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "b")


@pytest.fixture
def bus(jetstream_log: JetStreamLog, nats_url: str, tmp_path: Path) -> Bus:
    settings = GitSyncSettings(
        nats_url=nats_url,
        instance="test",
        home=tmp_path / "home",
        poll_every_s=0,
        git_allow_private=True,
        git_allow_files=True,
    )
    return Bus(jetstream_log, settings)


async def test_without_any_repository_it_waits_for_one_of_the_api(bus: Bus, a: Repository) -> None:
    commit = a.commit({"hello/main.py": ""})
    async with running(bus.settings):
        await bus.configure("team a", a.url)
        assert (await bus.synced(commit, "team a")).pipelines == 1
    assert (await bus.pipeline_state("hello")).repository == "team a"


async def test_a_file_names_more_repositories_and_what_it_drops_is_removed(
    bus: Bus, a: Repository, b: Repository, tmp_path: Path
) -> None:
    a.commit({"one/main.py": ""})
    commit = b.commit({"sub/two/main.py": ""})
    file = tmp_path / "repositories.toml"
    listed = f'[[repositories]]\nname = "b"\nurl = "{b.url}"\nsubfolder = "sub"\n'
    file.write_text(listed)
    settings = replace(bus.settings, git_url=a.url, repositories_file=file)
    async with running(settings):
        await bus.synced(commit, "b")
        await bus.phase("one", "runnable")
        await bus.phase("two", "runnable")
    file.write_text("repositories = []\n")
    async with running(settings):
        await bus.phase("two", "absent")
        assert (await bus.state("b")).removed
    assert (await bus.pipeline_state("one")).phase == "runnable"


async def test_a_repository_removed_over_the_api_takes_its_pipelines_along_and_may_come_back(
    bus: Bus, a: Repository, tmp_path: Path
) -> None:
    a.commit({"hello/main.py": "", "broken/main.py": "", "broken/pipeline.json": "{"})
    async with running(bus.settings):
        await bus.configure("a", a.url)
        await bus.phase("broken", "invalid")
        await bus.phase("hello", "runnable")
        await bus.command(RemoveRepository(by="api", who="ann"), "a")
        await bus.phase("hello", "absent")
        await bus.phase("broken", "absent")
        await eventually(lambda: not (tmp_path / "home/git_sync/a").exists())
        await bus.configure("a", a.url)
        await bus.phase("hello", "runnable")


async def test_a_new_address_is_read_from_its_own_copy(bus: Bus, a: Repository, b: Repository) -> None:
    old = a.commit({"hello/main.py": "a"})
    commit = b.commit({"hello/main.py": "b"})
    async with running(bus.settings):
        await bus.configure("x", a.url)
        await bus.synced(old, "x")
        await bus.configure("x", b.url)
        synced = await bus.synced(commit, "x")
        assert (synced.previous, synced.rewritten) == (None, False)
        assert (await bus.pipeline_state("hello")).tree == b.tree("hello")
        await bus.ask_for_run("r1", "f" * 40)
        copies = list((bus.settings.home / "git_sync/x").glob("*.git"))
        assert len(copies) == 1


async def test_a_name_in_two_repositories_is_invalid_with_both_places_until_one_gives_it_up(
    bus: Bus, a: Repository, b: Repository
) -> None:
    a.commit({"hello/main.py": "a", "only a/main.py": ""})
    b.commit({"hello/main.py": "b", "only b/main.py": ""})
    async with running(bus.settings):
        await bus.configure("a", a.url)
        await bus.phase("hello", "runnable")
        await bus.configure("b", b.url)
        invalid = await bus.pipeline("hello", PipelineInvalid)
        assert invalid.errors == (
            'several repositories have a folder of this name: "a", "b"; rename all but one of them',
        )
        await bus.phase("only b", "runnable")
        await bus.sync("b")
        assert (await bus.state("b")).invalid == 1
        b.commit({"hello/main.py": None, "hi/main.py": ""})
        await bus.sync("b")
        state = await bus.phase("hello", "runnable")
        assert (state.repository, state.tree) == ("a", a.tree("hello"))
    async with running(bus.settings):
        await bus.sync("a")
        await bus.sync("b")
    assert (await bus.pipeline_state("hello")).phase == "runnable"


async def test_a_clash_outlives_restarts_and_the_name_passes_on_with_its_folder(
    bus: Bus, a: Repository, b: Repository
) -> None:
    a.commit({"hello/main.py": "a"})
    b.commit({"hello/main.py": "b"})
    async with running(bus.settings):
        await bus.configure("a", a.url)
        await bus.phase("hello", "runnable")
        await bus.configure("b", b.url)
        await bus.phase("hello", "invalid")
    before = await bus.kinds("hello")
    async with running(bus.settings):
        await bus.sync("a")
        await bus.sync("b")
        assert await bus.kinds("hello") == before
        await bus.command(RemoveRepository(by="api"), "a")
        state = await bus.phase("hello", "runnable")
        assert (state.repository, state.tree) == ("b", b.tree("hello"))


async def test_the_environment_has_the_last_word(bus: Bus, a: Repository, b: Repository) -> None:
    a.commit({"hello/main.py": ""})
    commit = b.commit({"other/main.py": ""})
    async with running(bus.settings):
        await bus.configure("main", a.url)
        await bus.phase("hello", "runnable")
    async with running(replace(bus.settings, git_url=b.url)):
        await bus.synced(commit)
        await bus.phase("hello", "absent")
        configured = (await bus.state()).configured
        assert configured is not None
        assert configured.by == "environment"


async def test_a_sealed_token_opens_the_door_and_a_rotated_one_after_it(
    bus: Bus, nc: Client, a: Repository, tmp_path: Path
) -> None:
    commit = a.commit({"hello/main.py": ""})
    with http_host(tmp_path, user="ann", password="s3cret-t0ken") as host:
        url = f"{host.url}a/.git"
        async with running(bus.settings):

            async def sealed(token: str) -> Credentials:
                answer = json.loads((await nc.request(subjects.git_question("key"), b"", timeout=10)).data)
                key = base64.b64decode(answer["public_key"])
                purpose = sealing.for_repository("a", remote(url).addresses[0])
                return Credentials(user="ann", sealed_token=sealing.seal(key, purpose, token))

            await bus.configure("a", url)  # when it is read, questions are answered
            await bus.failed("refuses these credentials, or wants some", "a")
            await bus.configure("a", url, credentials=await sealed("wrong-t0ken"))
            assert "t0ken" not in await bus.failed("refuses these credentials", "a")
            await bus.configure("a", url, credentials=await sealed("s3cret-t0ken"))
            await bus.synced(commit, "a")
            host.change_password("new-t0ken")
            await bus.sync("a")
            await bus.failed("refuses these credentials", "a")
            assert (await bus.pipeline_state("hello")).phase == "runnable"
            await bus.configure("a", url, credentials=await sealed("new-t0ken"))
            await bus.sync("a")
            assert (await bus.state("a")).failure is None
            await bus.configure("b", url, credentials=await sealed("new-t0ken"))
            await bus.failed("sealed for something else", "b")
    stored = b"".join(content for _, content in stored_files(tmp_path / "home"))
    assert b"t0ken" not in stored
    everything = [body async for body in _bodies(bus)]
    assert not any(b"t0ken" in body for body in everything)


async def _bodies(bus: Bus) -> AsyncIterator[bytes]:
    async for recorded in bus.log.read(subjects.EVENTS, after_seq=0):
        yield repr(recorded).encode()


async def test_a_deploy_key_is_made_on_request_and_only_its_public_half_is_told(
    bus: Bus, a: Repository, tmp_path: Path
) -> None:
    sshd = find_sshd()
    if sshd is None:
        if os.environ.get("CI") or os.environ.get("FASTFLOW_TEST_STRICT"):
            pytest.fail("sshd is not installed")
        pytest.skip("sshd is not installed: apt-get install openssh-server")
    commit = a.commit({"hello/main.py": ""})
    with ssh_host(tmp_path / "ssh", sshd) as host:
        known_hosts = host.known_hosts_file.read_text()
        async with running(bus.settings):
            url = f"{host.url}{a.path}"
            await bus.configure("a", url)
            await bus.failed("is not trusted; give the host's public keys as known_hosts", "a")
            await bus.configure("a", url, credentials=Credentials(known_hosts=known_hosts))
            await bus.failed("refuses the SSH key", "a")
            await bus.command(RequestDeployKey(who="ann"), "a")

            async def made() -> list[RepositoryDeployKeyGenerated]:
                facts = await bus.facts("repository", "a")
                return [fact for fact in facts if isinstance(fact, RepositoryDeployKeyGenerated)]

            [key] = await eventually(made, within_s=60)
            assert key.public_key.startswith("ssh-ed25519 ")
            assert key.fingerprint.startswith("SHA256:")
            with (tmp_path / "ssh/authorized_keys").open("a") as file:
                file.write(f"{key.public_key}\n")
            await bus.sync("a")
            await bus.synced(commit, "a")
    private = tmp_path / "home/git_sync/a/deploy_key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    secret = private.read_text().splitlines()[2]
    assert not any(secret.encode() in body for body in [body async for body in _bodies(bus)])


async def test_what_the_api_names_is_fetched_only_from_where_it_is_allowed(
    bus: Bus, a: Repository, tmp_path: Path
) -> None:
    a.commit({"hello/main.py": ""})
    strict = replace(bus.settings, git_allow_private=False, git_allow_files=False)
    with http_host(tmp_path, user="ann", password="pw") as host:
        async with running(strict):
            await bus.configure("files", a.url)
            await bus.failed("FASTFLOW_GIT_ALLOW_FILES", "files")
            await bus.configure("private", f"{host.url}a/.git")
            await bus.failed("FASTFLOW_GIT_ALLOW_PRIVATE", "private")
            await bus.configure("named", f"{host.url.replace('127.0.0.1', 'localhost')}a/.git")
            await bus.failed("localhost is at a private address", "named")
    assert host.seen == []


async def test_a_secret_file_is_named_by_its_bare_name_in_the_folder_of_secrets(
    bus: Bus, a: Repository, tmp_path: Path
) -> None:
    commit = a.commit({"hello/main.py": ""})
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/github").write_text("pw\n")
    (tmp_path / "secrets/github.for").write_text("http://127.0.0.1:1/ # this one is added when its port is known\n")
    (tmp_path / "outside").write_text("pw\n")
    with http_host(tmp_path, user="ann", password="pw") as host:
        url = f"{host.url}a/.git"
        async with running(replace(bus.settings, git_secrets_dir=tmp_path / "secrets")):
            for name in ("../outside", "missing"):
                await bus.configure("a", url, credentials=Credentials(user="ann", token_file=name))
                await bus.failed(f'the folder of secrets has no file "{name}"', "a")
            await bus.configure("a", url, credentials=Credentials(user="ann", token_file="github"))
            await bus.failed('the file "github" may not be used at', "a")
            assert not any("Basic" in line for line in host.seen)
            with (tmp_path / "secrets/github.for").open("a") as file:
                file.write(f"{host.url}\n")
            await bus.sync("a")
            await bus.synced(commit, "a")

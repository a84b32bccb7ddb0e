"""A credential goes to the place it was given for, whoever asks, and wherever a host points."""

import base64
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from fastflow_events import sealing, subjects
from fastflow_events.aggregates.repository.commands import RequestDeployKey
from fastflow_events.aggregates.repository.decider import Repository as State
from fastflow_events.aggregates.repository.events import Credentials, RepositoryConfigured
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_git_sync.adapters.git import open_source
from fastflow_git_sync.adapters.keyring import Keyring
from fastflow_git_sync.core.access import Access
from fastflow_git_sync.core.credentials import ASKPASS, environment
from fastflow_git_sync.ports import GitError
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.http_server import http_host
from fastflow_git_sync.testing.repository import Repository
from fastflow_rules.remote import remote
from nats.aio.client import Client

TOKEN = "s3cret-t0ken"


@pytest.fixture
def a(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "a")


@pytest.fixture
def bus(jetstream_log: JetStreamLog, nats_url: str, tmp_path: Path) -> Bus:
    settings = GitSyncSettings(
        nats_url=nats_url, instance="test", home=tmp_path / "home", poll_every_s=0, git_allow_private=True
    )
    return Bus(jetstream_log, settings)


@pytest.mark.nats
async def test_a_sealed_token_is_sent_to_the_address_it_was_sealed_for_and_to_no_other(
    bus: Bus, nc: Client, a: Repository, tmp_path: Path
) -> None:
    commit = a.commit({"hello/main.py": ""})
    with (
        http_host(tmp_path, user="ann", password=TOKEN) as door,
        http_host(tmp_path, user="ann", password=TOKEN) as evil,
    ):
        url = f"{door.url}a/.git"
        async with running(bus.settings):
            await bus.configure("x", f"{door.url}nothing")  # when it is read, questions are answered
            await bus.failed("refuses these credentials, or wants some", "x")
            answer = json.loads((await nc.request(subjects.git_question("key"), b"", timeout=10)).data)
            key = base64.b64decode(answer["public_key"])

            def sealed(name: str, address: str) -> Credentials:
                purpose = sealing.for_repository(name, address)
                return Credentials(user="ann", sealed_token=sealing.seal(key, purpose, TOKEN))

            given = sealed("a", remote(url).addresses[0])
            await bus.configure("a", url, credentials=given)
            await bus.synced(commit, "a")
            for elsewhere in (f"{evil.url}a/.git", f"{door.url}other/.git"):
                await bus.configure("a", elsewhere, credentials=given)
                await bus.failed(f"the token cannot be used at {elsewhere}: it was sealed for something else", "a")
            await bus.configure("a", url, credentials=sealed("a", remote(door.url).addresses[-1]))
            await bus.synced(commit, "a")
    assert evil.seen == []


@pytest.mark.nats
async def test_a_deploy_key_is_used_at_the_address_it_was_made_for(bus: Bus, tmp_path: Path) -> None:
    async with running(bus.settings):
        await bus.configure("a", "ssh://git@127.0.0.1:1/p")
        await bus.command(RequestDeployKey(who="ann"), "a")

        async def made() -> State | None:
            state = await bus.state("a")
            return state if state.key_answered else None

        await eventually(made, within_s=60)
        await bus.failed("nothing answers at ssh://git@127.0.0.1:1/p", "a")
        await bus.configure("a", "ssh://git@127.0.0.1:2/p")
        await bus.failed("the deploy key was made for another address; ask for a new one", "a")
        await bus.command(RequestDeployKey(who="ann"), "a")
        await bus.failed("nothing answers at ssh://git@127.0.0.1:2/p", "a")
    assert (tmp_path / "home/git_sync/a/deploy_key.for").read_text() == "ssh://git@127.0.0.1:2/p\n"


@pytest.mark.parametrize("listed", [None, "https://git.example\n"])
async def test_a_file_of_secrets_without_a_list_of_addresses_opens_nothing(tmp_path: Path, listed: str | None) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/key").write_text(TOKEN)
    if listed:
        (tmp_path / "secrets/key.for").write_text(listed)
    ring = Keyring(GitSyncSettings(home=tmp_path, git_secrets_dir=tmp_path / "secrets"))
    for given in (Credentials(token_file="key"), Credentials(ssh_key_file="key")):
        for url in ("https://evil.example/p", "git@git.example:p"):
            with pytest.raises(GitError, match='the file "key"'):
                ring.access("a", RepositoryConfigured(url=url, branch="main", by="api", credentials=given))


async def test_a_redirect_takes_no_token_to_another_host(a: Repository, tmp_path: Path) -> None:
    a.commit({"hello/main.py": ""})
    settings, access = GitSyncSettings(home=tmp_path / "home"), Access(user="ann", token=TOKEN, trusted=True)
    with (
        http_host(tmp_path, user="ann", password=TOKEN) as door,
        http_host(tmp_path, user="ann", password=TOKEN) as evil,
    ):
        for moved in (evil.url.rstrip("/"), evil.url.rstrip("/").replace("//", "//ann@")):
            door.moved_to = moved
            configured = RepositoryConfigured(url=f"{door.url}a/.git", branch="main")
            following = Access(user="ann", token=TOKEN, trusted=True, redirects=True)
            for way in (access, following):
                async with open_source(settings, "main", configured, way) as source:
                    with pytest.raises(GitError):
                        await source.fetch(None)
    assert evil.seen
    assert not any("Basic" in line for line in evil.seen)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("Username for 'https://git.example': ", "ann"),
        ("Password for 'https://ann@git.example': ", TOKEN),
        ("Password for 'https://an%6E@git.example': ", TOKEN),
        ("Username for 'http://git.example': ", None),
        ("Password for 'http://ann@git.example': ", None),
        ("Password for 'https://ann@git.example:8443': ", None),
        ("Password for 'https://x@git.example'@evil.example': ", None),
        ("Password for 'https://x@git.example': '@evil.example': ", None),
        ("Password for 'https://evil.example/'@git.example': ", None),
        ("Username for 'https://evil.example//git.example': ", None),
        ("Enter passphrase for key 'https://git.example': ", None),
    ],
)
def test_the_question_for_a_password_is_answered_for_one_protocol_and_host(
    tmp_path: Path, asked: str, answered: str | None
) -> None:
    program = tmp_path / "askpass"
    program.write_text(ASKPASS)
    program.chmod(stat.S_IRWXU)
    env = environment(Access(user="ann", token=TOKEN), remote("https://git.example/p"), tmp_path)
    done = subprocess.run([program, asked], env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert (done.stdout.strip() or None) == answered


async def test_nothing_a_host_or_a_repository_says_leads_git_elsewhere(a: Repository, tmp_path: Path) -> None:
    """Submodules, files in LFS, `insteadOf`: what stands in a repository is read, and never done."""
    with http_host(tmp_path, user="ann", password=TOKEN) as evil, http_host(tmp_path, user="ann", password=TOKEN) as ok:
        commit = a.commit(
            {
                "hello/main.py": "",
                ".gitmodules": f'[submodule "m"]\npath = hello/m\nurl = {evil.url}a/.git\n',
                ".lfsconfig": f"[lfs]\nurl = {evil.url}lfs\n",
                ".gitattributes": "*.bin filter=lfs\n",
                "hello/data.bin": f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 5\n",
                ".gitconfig": f'[url "{evil.url}"]\ninsteadOf = {ok.url}\n',
            }
        )
        access = Access(user="ann", token=TOKEN, trusted=True)
        configured = RepositoryConfigured(url=f"{ok.url}a/.git", branch="main")
        async with open_source(GitSyncSettings(home=tmp_path / "home"), "main", configured, access) as source:
            assert (await source.fetch(None)).commit == commit
            await source.complete(await source.folders(commit))
            for folder in await source.folders(commit):
                async with source.archive(folder.tree):
                    pass
    assert evil.seen == []

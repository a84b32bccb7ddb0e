"""What people do to repositories: each ends in a clear fact, and what was good before stays."""

import asyncio
import os
from pathlib import Path

import pytest
from fastflow_events.aggregates.pipeline.events import (
    PipelineDiscovered,
    PipelineInvalid,
    PipelineRemoved,
    PipelineVersionStored,
)
from fastflow_events.aggregates.repository.commands import RequestSync
from fastflow_events.nats.bundles import stored_bundles
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.http_server import http_host
from fastflow_git_sync.testing.repository import Repository
from msgspec.structs import replace
from nats.aio.client import Client

pytestmark = pytest.mark.nats
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


@pytest.fixture
def bus(jetstream_log: JetStreamLog, nats_url: str, repository: Repository, tmp_path: Path) -> Bus:
    return Bus.watching(repository.url, jetstream_log, nats_url, tmp_path / "home")


async def test_a_deleted_branch_is_a_failure_that_keeps_the_pipelines(bus: Bus, repository: Repository) -> None:
    commit = repository.commit({"hello/main.py": ""})
    async with running(bus.settings):
        await bus.synced(commit)
        repository.git("checkout", "--quiet", "-b", "other")
        repository.git("branch", "-D", "main")
        await bus.sync()
        assert (await bus.state()).failure == 'the repository has no branch "main"'
        assert (await bus.pipeline_state("hello")).phase == "runnable"
        repository.git("branch", "main", commit)
        await bus.sync()
        assert (await bus.state()).failure is None
    assert await bus.kinds("hello") == ["VersionStored", "Discovered"]


async def test_a_renamed_folder_is_another_pipeline_with_the_same_bundle(
    nc: Client, bus: Bus, repository: Repository
) -> None:
    repository.commit({"hello/main.py": "1"})
    async with running(bus.settings):
        await bus.phase("hello", "runnable")
        repository.git("mv", "hello", "welcome")
        repository.commit({})
        await bus.sync()
        await bus.pipeline("hello", PipelineRemoved)
        stored = await bus.pipeline("welcome", PipelineVersionStored)
    assert list(await stored_bundles(nc)) == [stored.tree]


async def test_a_folder_renamed_in_case_only_is_another_pipeline(bus: Bus, repository: Repository) -> None:
    repository.commit({"Hello/main.py": "1"})
    async with running(bus.settings):
        await bus.phase("Hello", "runnable")
        repository.git("mv", "Hello", "hello")
        commit = repository.commit({"HELLO/main.py": "2"})
        await bus.sync()
        assert (await bus.synced(commit)).pipelines == 2
        await bus.phase("Hello", "absent")
        await bus.phase("hello", "runnable")
        await bus.phase("HELLO", "runnable")


async def test_folders_called_like_wildcards_are_pipelines_like_any_other(bus: Bus, repository: Repository) -> None:
    names = ["*", ">", "a.b", "täglich", "x.>"]
    first = repository.commit({f"{name}/main.py": "1" for name in names})
    async with running(bus.settings):
        await bus.synced(first)
        second = repository.commit({f"{name}/main.py": "2" for name in names})
        await bus.sync()
        await bus.synced(second)
        for name in names:
            await bus.phase(name, "runnable")
            assert (await bus.kinds(name)).count("VersionStored") == 2


async def test_a_folder_whose_name_is_too_long_is_told_and_the_others_are_read(
    bus: Bus, repository: Repository
) -> None:
    commit = repository.commit({"hello/main.py": "", f"{'x' * 201}/main.py": "", f"{'ü' * 34}/main.py": ""})
    async with running(bus.settings):
        synced = await bus.synced(commit)
        await bus.sync()
    assert synced.pipelines == 1
    first, second = synced.remarks
    assert first.startswith(f'the folder "{"x" * 40}…" is passed over: the name of a pipeline is UTF-8 of at most 200')
    assert second.startswith('the folder "üüü')


async def test_submodules_and_lfs_pointers_are_said_and_never_followed(
    bus: Bus, repository: Repository, tmp_path: Path
) -> None:
    inner = Repository(tmp_path / "inner")
    head = inner.commit({"main.py": "evil"})
    repository.commit({"hello/main.py": "", "hello/data.bin": POINTER, "sub/README.md": ""})
    attributes = f'[submodule]\n[submodule "x"]\n\tpath = hello/inner\n\turl = {inner.url}\n'
    repository.commit({".gitmodules": attributes, ".gitattributes": "*.bin filter=lfs\n"})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{head},hello/inner")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{head},module")
    repository.git("commit", "--quiet", "-m", "Submodules")
    async with running(bus.settings):
        found = await bus.pipeline("hello", PipelineDiscovered)
        warnings = str(found.definition["warnings"])
        assert 'submodules are left out of the code: "inner"' in warnings
        assert 'runs see the pointers: "data.bin"' in warnings
        assert (await bus.synced(repository.head())).pipelines == 1
    assert await bus.kinds("module") == []


async def test_a_broken_fastflow_json_keeps_every_last_good_definition(bus: Bus, repository: Repository) -> None:
    commit = repository.commit({"hello/main.py": "", "fastflow.json": '{"defaults": {"timeout": 60}}'})
    async with running(bus.settings):
        await bus.synced(commit)
        assert (await bus.pipeline_state("hello")).definition == {"timeout_s": 60.0}
        repository.commit({"fastflow.json": '{"defaults": {"timeout": "soon"}}', "hello/main.py": "2"})
        await bus.sync()
        assert '$.defaults.timeout: found "soon"' in str((await bus.state()).failure)
        assert await bus.kinds("hello") == ["VersionStored", "Discovered"]
        repository.commit({"fastflow.json": '{"defaults": {"timeout": 90}}', "hello/main.py": ""})
        await bus.sync()
        state = await bus.pipeline_state("hello")
        assert (state.definition, state.tree) == ({"timeout_s": 90.0}, repository.tree("hello"))


async def test_a_pipeline_may_be_described_by_a_file_of_its_own_name(bus: Bus, repository: Repository) -> None:
    repository.commit({"hello/main.py": "", "hello/hello.json": '{"timeout": 1}', "hello/other.json": "{"})
    async with running(bus.settings):
        assert (await bus.pipeline("hello", PipelineDiscovered)).definition == {"timeout_s": 1.0}


async def test_many_wishes_while_a_sync_goes_on_cause_one_more(
    bus: Bus, repository: Repository, tmp_path: Path
) -> None:
    commit = repository.commit({"hello/main.py": ""})
    with http_host(tmp_path, user="x-access-token", password="pw") as host:
        (tmp_path / "token").write_text("pw")
        settings = replace(bus.settings, git_url=f"{host.url}origin/.git", git_token_file=tmp_path / "token")

        def fetches() -> int:
            return sum("git-upload-pack" in line and "info/refs" in line and "Basic" in line for line in host.seen)

        async with running(settings):
            await bus.synced(commit)
            before = fetches()
            host.delay_s = 0.3
            await bus.command(RequestSync(who="first"))
            await eventually(lambda: fetches() > before)
            for n in range(20):
                await bus.command(RequestSync(who=f"{n}"))
            await bus.sync()
            assert (
                fetches() - before <= 3
            )  # the one that went on, one more, and one for the request that was waited for
            state = await bus.state()
            assert state.requests == state.answered == 22


async def test_a_remote_that_is_away_is_asked_again_by_itself(bus: Bus, repository: Repository) -> None:
    repository.commit({"hello/main.py": ""})
    away = repository.path.rename(repository.path.with_name("away"))
    async with running(replace(bus.settings, poll_every_s=0.1)):
        await bus.failed("there is no repository")
        away.rename(repository.path)
        await bus.phase("hello", "runnable")


async def test_a_host_that_sends_elsewhere_is_not_followed_unless_allowed(
    bus: Bus, repository: Repository, tmp_path: Path
) -> None:
    commit = repository.commit({"hello/main.py": ""})
    (tmp_path / "token").write_text("pw")
    with (
        http_host(tmp_path, user="x-access-token", password="pw") as door,
        http_host(tmp_path, user="x-access-token", password="pw") as target,
    ):
        door.moved_to = target.url.rstrip("/")
        settings = replace(bus.settings, git_url=f"{door.url}origin/.git", git_token_file=tmp_path / "token")
        async with running(settings):
            await bus.failed("has moved, and redirects need FASTFLOW_GIT_ALLOW_REDIRECTS")
        assert target.seen == []
        target.change_password("")
        async with running(replace(settings, git_allow_redirects=True)):
            await bus.failed("refuses these credentials")
        assert target.seen
        assert not any("Basic" in line for line in target.seen)  # the token is for the first host only
    assert commit


async def test_only_what_changed_is_said_and_stored(nc: Client, bus: Bus, repository: Repository) -> None:
    repository.commit({f"p{n}/main.py": str(n) for n in range(30)})
    async with running(bus.settings):
        await bus.sync()
        before, bundles = await bus.log.last_seq(), len(await stored_bundles(nc))
        repository.commit({"p3/main.py": "changed", "README.md": "changed"})
        await bus.sync()
        # asked, version stored, changed, synced
        assert await bus.log.last_seq() == before + 4
        assert len(await stored_bundles(nc)) == bundles + 1


async def test_a_folder_too_large_is_refused_and_the_others_go_on(bus: Bus, repository: Repository) -> None:
    blob = repository.make_blob(b"")
    many = repository.make_tree("".join(f"100644 blob {blob}\tf{n:05}\n" for n in range(20_001)))
    big = repository.make_tree(f"100644 blob {blob}\tmain.py\n040000 tree {many}\tmany\n")
    small = repository.make_tree(f"100644 blob {blob}\tmain.py\n")
    repository.commit_tree(repository.make_tree(f"040000 tree {big}\tbig\n040000 tree {small}\tsmall\n"))
    async with running(bus.settings):
        await bus.phase("small", "runnable")
        assert "more than 20000 files" in (await bus.pipeline("big", PipelineInvalid)).errors[0]


async def test_a_fetch_that_brings_too_much_is_broken_off(bus: Bus, repository: Repository, tmp_path: Path) -> None:
    repository.commit({"hello/main.py": "", **{f"hello/big{n}": os.urandom(3_000_000) for n in range(4)}})
    repository.git("config", "uploadpack.allowFilter", "false")
    with http_host(tmp_path, user="x-access-token", password="pw") as host:
        (tmp_path / "token").write_text("pw")
        host.pause_s = 0.5
        settings = replace(
            bus.settings,
            git_url=f"{host.url}origin/.git",
            git_token_file=tmp_path / "token",
            git_max_bytes=1_000_000,
        )
        async with running(settings):
            await bus.failed("sends more than 1 MB at once")


async def test_ten_thousand_folders_are_read_in_one_go(bus: Bus, repository: Repository) -> None:
    repository.make_folders({f"p{n:05}": {"main.py": f"print({n})\n"} for n in range(10_000)})
    async with running(bus.settings), asyncio.timeout(240):
        synced = await bus.synced(repository.git("rev-parse", "main"), within_s=240)
        assert synced.pipelines == 10_000
        before = await bus.log.last_seq()
        assert before == 20_002  # configured, a version and a discovery each, synced
        await bus.sync()
        assert await bus.log.last_seq() == before + 2  # asked, and synced

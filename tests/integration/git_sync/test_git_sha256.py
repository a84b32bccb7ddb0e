"""A repository whose ids are SHA-256 is read like any other."""

import io
import tarfile
from pathlib import Path

import pytest
import zstandard
from fastflow_events.aggregates.pipeline.events import PipelineVersionMissing
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_git_sync.adapters import healing
from fastflow_git_sync.adapters.git import open_source
from fastflow_git_sync.core.repositories import of_environment
from fastflow_git_sync.ports import GitError, Head
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.http_server import http_host
from fastflow_git_sync.testing.repository import Repository
from msgspec.structs import replace


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin", ids="sha256")


@pytest.mark.nats
@pytest.mark.parametrize("modern", [True, False])
async def test_a_repository_of_sha256_is_synced_and_its_old_commits_are_stored_on_request(
    jetstream_log: JetStreamLog, nats_url: str, repository: Repository, tmp_path: Path, modern: bool
) -> None:
    settings = GitSyncSettings(nats_url=nats_url, instance="test", home=tmp_path / "home", poll_every_s=0)
    bus = Bus(jetstream_log, settings)
    repository.git("config", "uploadpack.allowFilter", "true")
    old = repository.commit({"hello/main.py": "1"})
    head = repository.commit({"hello/main.py": "2"})
    (tmp_path / "token").write_text("pw")
    with http_host(tmp_path, user="x-access-token", password="pw") as host:
        host.modern = modern
        url = f"{host.url}origin/.git"
        async with running(replace(settings, git_url=url, git_token_file=tmp_path / "token")):
            assert len((await bus.synced(head)).commit) == 64
            assert (await bus.phase("hello", "runnable")).tree == repository.tree("hello")
            await bus.ask_for_run("r1", old)
            await bus.stored("hello", old)
            await bus.ask_for_run("r2", "f" * 64)
            missing = await bus.pipeline("hello", PipelineVersionMissing)
            assert 'the watched branch "main" does not hold the commit' in missing.reason


async def test_its_copy_heals_and_packs_like_any_other(tmp_path: Path, repository: Repository) -> None:
    settings = GitSyncSettings(git_url=repository.url, home=tmp_path / "home")
    [(name, watched)] = of_environment(settings, None).items()
    commit = repository.commit({"hello/main.py": "1", "hello/data": "2"})
    async with open_source(settings, name, watched.configured, watched.access) as source:
        await source.fetch(None)
    [copy] = (tmp_path / "home/git_sync/main").glob("copy-*.git")
    assert healing.broken_files(copy) == []
    (copy / "config").write_text("[")
    for file in (copy / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"x")
    async with open_source(settings, name, watched.configured, watched.access) as source:
        assert await source.fetch(commit) == Head(commit=commit)
        [folder] = await source.folders(commit)
        await source.complete([folder])
        async with source.archive(folder.tree) as packing:
            packing.seek(0)
            packed = zstandard.ZstdDecompressor().stream_reader(packing.read()).read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert tar.getnames() == ["data", "main.py"]


async def test_an_empty_repository_may_turn_out_to_be_one_and_a_known_one_that_changes_is_told(
    tmp_path: Path, repository: Repository
) -> None:
    settings = GitSyncSettings(git_url=repository.url, home=tmp_path / "home")
    [(name, watched)] = of_environment(settings, None).items()
    async with open_source(settings, name, watched.configured, watched.access) as source:
        with pytest.raises(GitError, match="is empty"):
            await source.fetch(None)
        commit = repository.commit({"hello/main.py": ""})
        assert (await source.fetch(None)).commit == commit
        repository.path.rename(tmp_path / "before")
        Repository(repository.path).commit({"hello/main.py": ""})
        with pytest.raises(GitError, match="ids of another kind than before"):
            await source.fetch(commit)
        await source.require(commit)

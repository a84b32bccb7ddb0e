"""git_sync as it is shipped, on a real NATS server and real repositories: what is pushed becomes facts, once."""

import io
import tarfile
from collections import Counter
from pathlib import Path
from typing import TypeVar

import pytest
import zstandard
from fastflow_events.aggregates.pipeline.events import (
    PipelineChanged,
    PipelineDiscovered,
    PipelineInvalid,
    PipelineRemoved,
    PipelineVersionMissing,
    PipelineVersionStored,
)
from fastflow_events.aggregates.repository.decider import repository_decider
from fastflow_events.aggregates.repository.events import RepositoryConfigured, RepositorySyncFailed
from fastflow_events.fact import Fact
from fastflow_events.nats.bundles import read_bundle
from fastflow_events.nats.commits import kept_abouts
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.repository import Repository
from nats.aio.client import Client

pytestmark = pytest.mark.nats
F = TypeVar("F", bound=Fact)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


@pytest.fixture
def bus(jetstream_log: JetStreamLog, nats_url: str, repository: Repository, tmp_path: Path) -> Bus:
    return Bus.watching(repository.url, jetstream_log, nats_url, tmp_path / "home")


async def test_a_pushed_folder_is_discovered_with_its_code_stored_before(
    nc: Client, bus: Bus, repository: Repository
) -> None:
    files = {"hello/main.py": "print(1)\n", "hello/requirements.txt": "requests\n", "Büro Köln/main.py": ""}
    commit = repository.commit({**files, "hello/pipeline.json": '{"timeout": 0, "tags": ["a"]}', "docs/x.md": ""})
    async with running(bus.settings):
        synced = await bus.synced(commit)
    assert (synced.pipelines, synced.invalid, synced.rewritten) == (2, 0, False)
    [configured] = [f for f in await bus.facts("repository", "main") if isinstance(f, RepositoryConfigured)]
    assert configured == RepositoryConfigured(url=repository.url, branch="main")
    version, discovered = await bus.facts("pipeline", "hello")
    assert isinstance(version, PipelineVersionStored)
    assert isinstance(discovered, PipelineDiscovered)
    assert version.definition == discovered.definition == {"timeout_s": 0.0, "tags": ["a"]}
    assert version.requirements.text == "requests\n"
    assert (synced.branch, version.branch) == ("main", "main")
    about = (await kept_abouts(nc, [commit]))[commit]
    assert (about.repository, about.subject, about.author) == ("main", "Change", "Ann")
    assert about.at is not None
    assert version.tree == repository.tree("hello")
    bundle = await read_bundle(nc, version.tree)
    assert len(bundle) == version.bundle_bytes
    with tarfile.open(fileobj=io.BytesIO(zstandard.ZstdDecompressor().stream_reader(bundle).read())) as tar:
        assert tar.getnames() == ["main.py", "pipeline.json", "requirements.txt"]
    assert await bus.facts("pipeline", "docs") == []
    assert len(await bus.facts("pipeline", "Büro Köln")) == 2


async def test_changes_breakage_repair_and_removal_are_said_once_each(bus: Bus, repository: Repository) -> None:
    repository.commit({"hello/main.py": "1", "other/main.py": "1"})
    async with running(bus.settings):
        await bus.pipeline("other", PipelineDiscovered)
        changed = repository.commit({"hello/main.py": "2"})
        await bus.sync()
        assert (await bus.pipeline("hello", PipelineChanged)).commit == changed
        repository.commit({"hello/pipeline.json": '{"enabled": "no"}'})
        await bus.sync()
        invalid = await bus.pipeline("hello", PipelineInvalid)
        assert invalid.errors == ('pipeline.json: $.enabled: found "no"; allowed: true or false',)
        repository.commit({"hello/pipeline.json": None})
        await bus.sync()
        assert (await bus.synced(repository.head())).invalid == 0
        gone = repository.commit({"hello/main.py": None})
        await bus.sync()
        assert (await bus.pipeline("hello", PipelineRemoved)).commit == gone
        await bus.sync()
    kinds = [type(fact).__name__ for fact in await bus.facts("pipeline", "hello")]
    assert Counter(kinds) == {
        "PipelineVersionStored": 3,
        "PipelineDiscovered": 1,
        "PipelineChanged": 2,
        "PipelineInvalid": 1,
        "PipelineRemoved": 1,
    }
    assert len(await bus.facts("pipeline", "other")) == 2


async def test_a_link_that_leads_out_makes_the_pipeline_invalid_and_stores_nothing(
    bus: Bus, repository: Repository
) -> None:
    repository.commit({"hello/main.py": "", "good/main.py": ""}, {"hello/data": "/", "good/data": "main.py"})
    async with running(bus.settings):
        invalid = await bus.pipeline("hello", PipelineInvalid)
        await bus.pipeline("good", PipelineDiscovered)
    assert '"data" is a symbolic link to "/"' in invalid.errors[0]
    assert [type(fact) for fact in await bus.facts("pipeline", "hello")] == [PipelineInvalid]


async def test_restarting_and_losing_the_rows_says_nothing_twice(bus: Bus, repository: Repository) -> None:
    commit = repository.commit({"hello/main.py": "1", "broken/main.py": "", "broken/pipeline.json": "{"})
    async with running(bus.settings):
        await bus.synced(commit)
    before = await bus.log.last_seq()
    async with running(bus.settings):
        await bus.sync()
    for file in bus.settings.home.rglob("*.db*"):
        file.unlink()
    async with running(bus.settings):
        await bus.sync()
    assert await bus.log.last_seq() == before + 4  # two requests, two answers


async def test_what_was_removed_while_nobody_looked_is_said_at_the_start(bus: Bus, repository: Repository) -> None:
    repository.commit({"hello/main.py": "1", "other/main.py": ""})
    async with running(bus.settings):
        await bus.pipeline("other", PipelineDiscovered)
    repository.commit({"hello/main.py": None})
    for file in bus.settings.home.rglob("*.db*"):
        file.unlink()
    async with running(bus.settings):
        await bus.pipeline("hello", PipelineRemoved)


async def test_polling_finds_a_push_that_nobody_announced(bus: Bus, repository: Repository) -> None:
    repository.commit({"hello/main.py": "1"})
    settings = GitSyncSettings(
        nats_url=bus.settings.nats_url, home=bus.settings.home, git_url=repository.url, poll_every_s=0.1
    )
    async with running(settings):
        await bus.pipeline("hello", PipelineDiscovered)
        repository.commit({"second/main.py": ""})
        await bus.pipeline("second", PipelineDiscovered)


async def test_a_failure_is_said_once_and_the_service_goes_on(bus: Bus, repository: Repository) -> None:
    async with running(bus.settings):

        async def failures() -> list[Fact]:
            return [f for f in await bus.facts("repository", "main") if isinstance(f, RepositorySyncFailed)]

        assert "is empty" in str(await eventually(failures))
        commit = repository.commit({"hello/main.py": "1"})
        await bus.sync()
        await bus.synced(commit)
        moved = repository.path.rename(repository.path.with_name("away"))
        await bus.sync()
        await bus.sync()
        assert len(await failures()) == 3  # empty, and gone: once for each who asked
        moved.rename(repository.path)
        await bus.sync()
        state = repository_decider.fold(await bus.facts("repository", "main"))
        assert (state.failure, state.commit) == (None, commit)
    assert len(await bus.facts("pipeline", "hello")) == 2


async def test_a_force_push_is_said_and_old_commits_can_still_be_run(bus: Bus, repository: Repository) -> None:
    first = repository.commit({"hello/main.py": "1"})
    async with running(bus.settings):
        await bus.synced(first)
        old = repository.commit({"hello/main.py": "old"})
        await bus.sync()
        repository.git("reset", "--hard", first)
        new = repository.commit({"hello/main.py": "new"})
        await bus.sync()
        assert (await bus.synced(new)).rewritten
        repository.git("reflog", "expire", "--expire=now", "--all")
        repository.git("gc", "--prune=now", "--quiet")
        stored = [f for f in await bus.facts("pipeline", "hello") if isinstance(f, PipelineVersionStored)]
        assert {fact.commit for fact in stored} == {first, old, new}


async def test_a_run_of_an_older_commit_gets_its_version(nc: Client, bus: Bus, repository: Repository) -> None:
    old = repository.commit({"hello/main.py": "old"})
    head = repository.commit({"hello/main.py": "new"})
    async with running(bus.settings):
        await bus.synced(head)
        await bus.ask_for_run("r1", old)

        async def stored() -> list[PipelineVersionStored]:
            facts = await bus.facts("pipeline", "hello")
            return [f for f in facts if isinstance(f, PipelineVersionStored) and f.commit == old]

        [version] = await eventually(stored)
        assert version.tree == repository.tree("hello", old)
        assert version.branch == ""
        assert (await kept_abouts(nc, [version.commit]))[version.commit].subject == "Change"
        assert await read_bundle(nc, version.tree)
        await bus.ask_for_run("r2", old)
        await bus.ask_for_run("r3", "f" * 40)
        await bus.pipeline("hello", PipelineVersionMissing)
        assert len(await stored()) == 1


async def test_a_run_of_a_commit_without_the_pipeline_is_told_why(bus: Bus, repository: Repository) -> None:
    empty = repository.commit({"README.md": ""})
    broken = repository.commit({"hello/main.py": "", "hello/pipeline.json": "{"})
    head = repository.commit({"hello/pipeline.json": None})
    async with running(bus.settings):
        await bus.synced(head)
        await bus.ask_for_run("r1", empty)
        assert "has no pipeline of this name" in (await bus.pipeline("hello", PipelineVersionMissing)).reason
        await bus.ask_for_run("r2", broken)

        async def reasons() -> list[str]:
            facts = await bus.facts("pipeline", "hello")
            return [f.reason for f in facts if isinstance(f, PipelineVersionMissing) and f.commit == broken]

        assert "invalid at the commit" in (await eventually(reasons))[0]
        await bus.ask_for_run("r3", "f" * 40, pipeline="never heard of")
        await bus.ask_for_run("r4", None)
        await bus.ask_for_run("r5", "e" * 40)

        async def answered() -> bool:
            facts = await bus.facts("pipeline", "hello")
            return any(isinstance(f, PipelineVersionMissing) and f.commit == "e" * 40 for f in facts)

        await eventually(answered)
    assert await bus.facts("pipeline", "never heard of") == []


async def test_two_services_side_by_side_say_everything_once(bus: Bus, repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit({f"p{n}/main.py": str(n) for n in range(10)})
    other = GitSyncSettings(
        nats_url=bus.settings.nats_url, instance="b", home=tmp_path / "b", git_url=repository.url, poll_every_s=0
    )
    async with running(bus.settings), running(other):
        await bus.synced(commit)
        for n in range(10):
            await bus.pipeline(f"p{n}", PipelineDiscovered)
        await bus.sync()
    for n in range(10):
        facts = await bus.facts("pipeline", f"p{n}")
        assert [type(fact) for fact in facts] == [PipelineVersionStored, PipelineDiscovered]

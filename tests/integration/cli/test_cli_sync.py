"""`fastflow sync` and `fastflow repositories` against a gateway, a git_sync and a real repository."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_cli.__main__ import run
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_gateway.testing import running_gateway
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.repository import Repository

pytestmark = pytest.mark.nats


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "origin")
    repository.commit({"hello/main.py": ""})
    return repository


@pytest_asyncio.fixture
async def url(
    nats_url: str, jetstream_log: JetStreamLog, repository: Repository, tmp_path: Path
) -> AsyncGenerator[str]:
    """A gateway beside a git_sync that has read the repository, and reads it again when somebody asks."""
    settings = GitSyncSettings(nats_url=nats_url, home=tmp_path / "git", git_url=repository.url, poll_every_s=0)
    async with running(settings), running_gateway(nats_url, tmp_path) as url:
        await Bus(jetstream_log, settings).synced(repository.head())
        yield url


async def test_the_command_line_reads_a_repository_and_says_how_that_went(
    repository: Repository, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fastflow(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(run, [*words, "--url", url])
        return code, capsys.readouterr().out

    commit = repository.commit({"second/main.py": ""})
    code, found = await fastflow("sync", "--json")
    [row] = json.loads(found)["items"]
    assert (code, row["commit_sha"], row["pipelines"], row["answered"]) == (0, commit, 2, row["requests"])
    repository.git("branch", "--move", "main", "trunk")
    code, found = await fastflow("sync", "main")
    assert (code, "has no branch" in found) == (1, True)
    code, found = await fastflow("repositories")
    assert (code, "failed" in found, commit[:10] in found, "Change" in found) == (0, True, True, True)
    assert (await fastflow("sync", "--no-wait"))[0] == 0
    assert (await fastflow("sync", "nowhere"))[0] == 4

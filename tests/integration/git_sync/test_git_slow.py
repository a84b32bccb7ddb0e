"""A repository that does not answer keeps nobody waiting but its own runs."""

from pathlib import Path

import pytest
from fastflow_events.aggregates.pipeline.events import PipelineVersionMissing
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.http_server import http_host
from fastflow_git_sync.testing.repository import Repository

pytestmark = pytest.mark.nats
RUNS, HANGS_S = 5, 20.0


async def test_commits_of_one_repository_are_stored_while_another_one_does_not_answer(
    jetstream_log: JetStreamLog, nats_url: str, tmp_path: Path
) -> None:
    """Runs that ask for commits nobody has: each has its repository fetched, and each fetch hangs."""
    slow, quick = Repository(tmp_path / "slow"), Repository(tmp_path / "quick")
    slow.commit({"hangs/main.py": ""})
    old = quick.commit({"hello/main.py": "1"})
    quick.commit({"hello/main.py": "2"})
    (tmp_path / "token").write_text("pw")
    with http_host(tmp_path, user="x-access-token", password="pw") as host:
        settings = GitSyncSettings(
            nats_url=nats_url,
            instance="test",
            home=tmp_path / "home",
            git_url=f"{host.url}slow/.git",
            git_token_file=tmp_path / "token",
            poll_every_s=0,
            git_allow_files=True,
        )
        bus = Bus(jetstream_log, settings)
        async with running(settings):
            await bus.phase("hangs", "runnable")
            await bus.configure("quick", quick.url)
            await bus.phase("hello", "runnable")
            host.delay_s = HANGS_S
            for n in range(RUNS):
                await bus.ask_for_run(f"slow-{n}", f"{n}" * 40, pipeline="hangs")
            await bus.ask_for_run("quick", old)
            await bus.stored("hello", old)
            assert "VersionMissing" not in await bus.kinds("hangs")
            host.delay_s = 0.0
            missing = await bus.pipeline("hangs", PipelineVersionMissing)
            assert 'the watched branch "main" does not hold the commit' in missing.reason

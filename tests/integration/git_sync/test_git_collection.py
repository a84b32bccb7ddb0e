"""Stored code is deleted when nothing needs it, in two steps, and comes back when somebody asks for it again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastflow_cli.commands.code_gc import Collected, collect
from fastflow_events.aggregates.pipeline.commands import ExpireBundle
from fastflow_events.aggregates.pipeline.decider import pipeline_decider
from fastflow_events.aggregates.pipeline.events import PipelineBundleExpired, PipelineVersionStored
from fastflow_events.execute import execute
from fastflow_events.nats.bundles import CodeKeeper, delete_bundle, read_bundle, stored_bundles
from fastflow_events.nats.bundles.names import chunk_subject
from fastflow_events.nats.client import Connection
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.builders import CAUSE
from fastflow_events.testing.eventually import eventually
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.repository import Repository

pytestmark = pytest.mark.nats
AT_ONCE = timedelta(seconds=-60)
"""So that what was announced just now counts as announced long ago."""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


@pytest.fixture
def bus(jetstream_log: JetStreamLog, nats_url: str, repository: Repository, tmp_path: Path) -> Bus:
    return Bus.watching(repository.url, jetstream_log, nats_url, tmp_path / "home")


async def passed(nc: Connection, *, keep: timedelta = AT_ONCE, undisturbed: timedelta = AT_ONCE) -> Collected:
    log = JetStreamLog(nc, source="/fastflow/gc/1")
    return await collect(CodeKeeper(nc), log, now=datetime.now(UTC), keep=keep, undisturbed=undisturbed)


async def two_versions(bus: Bus, repository: Repository) -> tuple[str, str]:
    """Tree of an older version, and of the head."""
    first = repository.commit({"hello/main.py": "old"})
    await bus.synced(first)
    second = repository.commit({"hello/main.py": "new"})
    await bus.sync()
    await bus.synced(second)
    return repository.tree("hello", first), repository.tree("hello", second)


async def test_an_old_version_is_announced_and_then_deleted_and_the_head_stays(
    nc: Connection, bus: Bus, repository: Repository
) -> None:
    repository.commit({"README.md": ""})
    async with running(bus.settings):
        old, head = await two_versions(bus, repository)
    assert (await passed(nc, keep=timedelta(days=1))).expired == 0
    first = await passed(nc, undisturbed=timedelta(hours=1))
    assert (first.expired, first.deleted) == (1, 0)
    assert (await bus.pipeline("hello", PipelineBundleExpired)).tree == old
    assert {old, head} == (await stored_bundles(nc)).keys()
    second = await passed(nc)
    assert (second.expired, second.deleted, second.kept) == (0, 1, 1)
    assert list(await stored_bundles(nc)) == [head]
    third = await passed(nc)
    assert (third.expired, third.deleted) == (0, 0)


async def test_a_dry_pass_changes_nothing(nc: Connection, bus: Bus, repository: Repository) -> None:
    repository.commit({"README.md": ""})
    async with running(bus.settings):
        await two_versions(bus, repository)
    before = await bus.log.last_seq()
    found = await collect(
        CodeKeeper(nc), bus.log, now=datetime.now(UTC), keep=AT_ONCE, undisturbed=AT_ONCE, dry_run=True
    )
    assert found.expired == 1
    assert await bus.log.last_seq() == before


async def test_deleted_code_is_read_from_git_again_when_a_run_asks_for_it(
    nc: Connection, bus: Bus, repository: Repository
) -> None:
    repository.commit({"README.md": ""})
    async with running(bus.settings):
        old, _ = await two_versions(bus, repository)
        await passed(nc, undisturbed=timedelta(hours=1))
        await passed(nc)
        assert old not in await stored_bundles(nc)
        await bus.ask_for_run("r1", repository.git("rev-parse", "HEAD~1"))

        async def again() -> bool:
            return old in await stored_bundles(nc)

        await eventually(again, within_s=60)
        assert await read_bundle(nc, old)
        newest = [f for f in await bus.facts("pipeline", "hello") if isinstance(f, PipelineVersionStored)][-1]
        assert newest.tree == old
        assert (await passed(nc)).expired == 0  # the run is open


async def test_code_that_is_asked_for_between_announcement_and_deletion_is_not_deleted(
    nc: Connection, bus: Bus, repository: Repository
) -> None:
    repository.commit({"README.md": ""})
    async with running(bus.settings):
        old, _ = await two_versions(bus, repository)
        await execute(bus.log, pipeline_decider, "hello", ExpireBundle(tree=old), cause=CAUSE)
        seen = (await stored_bundles(nc))[old]  # a pass that listed the bundles before it read the log
        await bus.ask_for_run("r1", repository.git("rev-parse", "HEAD~1"))

        async def stored_again() -> bool:
            facts = await bus.facts("pipeline", "hello")
            return isinstance(facts[-1], PipelineVersionStored) and facts[-1].tree == old

        await eventually(stored_again, within_s=60)
    assert not await delete_bundle(nc, seen, at=datetime.now(UTC))
    assert await read_bundle(nc, old)


async def test_uploads_that_broke_off_go_too(nc: Connection, bus: Bus, repository: Repository) -> None:
    repository.commit({"README.md": ""})
    async with running(bus.settings):
        _, head = await two_versions(bus, repository)
    await nc.jetstream().publish(chunk_subject("broken"), b"half")
    found = await passed(nc)
    assert found.abandoned == 1
    assert (await passed(nc)).abandoned == 0
    assert head in await stored_bundles(nc)

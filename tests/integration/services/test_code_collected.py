"""A store of code that fills is collected by itself, and syncs go on; only what nothing needs goes."""

import asyncio
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from fastflow_cli.commands.code_gc import collect
from fastflow_cli.local.code_gc_loop import Done, collect_once, keep_collected, share_of_code
from fastflow_cli.local.code_gc_pace import Pace
from fastflow_events.aggregates.pipeline.events import PipelineBundleExpired
from fastflow_events.aggregates.repository.commands import RequestSync
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.bundles import CodeKeeper, stored_bundles
from fastflow_events.nats.client import Connection
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.topology import CODE
from fastflow_events.service.settings import Settings
from fastflow_events.service.tasks import background
from fastflow_events.testing.eventually import eventually
from fastflow_git_sync.testing.bus import Bus, running
from fastflow_git_sync.testing.repository import Repository

pytestmark = pytest.mark.nats

SMALL_BYTES = 1_000_000
PIECE_BYTES = 300_000
EAGER = Pace(look_every_s=0.2, first_s=0, undisturbed_s=0, pressed_s=0, daily_s=0)
AT_ONCE = timedelta(seconds=-60)
"""So that what was announced just now counts as announced long ago."""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


@pytest.fixture
def bus(jetstream_log: JetStreamLog, nats_url: str, repository: Repository, tmp_path: Path) -> Bus:
    return Bus.watching(repository.url, jetstream_log, nats_url, tmp_path / "home")


async def make_small(nc: Connection) -> None:
    js = nc.jetstream()
    await js.update_stream((await js.stream_info(CODE)).config.evolve(max_bytes=SMALL_BYTES))


def push(repository: Repository, *, data: bool = True) -> str:
    files: dict[str, str | bytes | None] = {"hello/main.py": f"# {os.urandom(8).hex()}"}
    return repository.commit({**files, "hello/data": os.urandom(PIECE_BYTES)} if data else files)


async def in_hand(nc: Connection) -> Done:
    """One pass without the hour between announcement and deletion."""
    log = JetStreamLog(nc, source="/fastflow/gc/1")
    found = await collect(CodeKeeper(nc), log, now=datetime.now(UTC), keep=AT_ONCE, undisturbed=AT_ONCE)
    return Done(expired=found.expired, deleted=found.deleted, deleted_bytes=found.deleted_bytes)


async def is_stored(bus: Bus, commit: str) -> bool:
    return commit in (await bus.pipeline_state("hello")).versions


async def test_a_store_that_is_full_is_collected_by_itself_and_syncs_go_on(
    nc: Connection, nats_url: str, bus: Bus, repository: Repository
) -> None:
    await make_small(nc)
    repository.commit({"README.md": ""})
    seen: list[str] = []
    async with running(bus.settings):
        wanted = push(repository)
        await bus.sync()
        await bus.synced(wanted)
        await bus.ask_for_run("r1", wanted)  # open, so its code has to stay
        for _ in range(2):
            head = push(repository)
            await bus.sync()
            await bus.synced(head)
        last = push(repository)
        await bus.command(RequestSync(who="ann"))
        await bus.failed("the object store is full")
        share = partial(share_of_code, Settings(nats_url=nats_url))
        async with background(keep_collected(share, partial(in_hand, nc), monotonic, seen.append, EAGER)):
            await eventually(partial(is_stored, bus, last), within_s=120)
    trees = {repository.tree("hello", commit) for commit in (wanted, last)}
    assert trees <= (await stored_bundles(nc)).keys()
    assert any("bundles of code that nothing needs were deleted" in line for line in seen)


async def test_the_command_stays_and_announces_what_nothing_needs_when_the_store_is_nearly_full(
    nc: Connection, nats_url: str, bus: Bus, repository: Repository
) -> None:
    repository.commit({"README.md": ""})
    async with running(bus.settings):
        old, head = push(repository), ""
        await bus.sync()
        await bus.synced(old)
        for _ in range(2):
            head = push(repository)
            await bus.sync()
            await bus.synced(head)
    await make_small(nc)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fastflow_cli", "gc", "--watch", "--keep-days", "0", "--nats-url", nats_url)
    )
    try:

        async def announced() -> set[str]:
            facts = await bus.facts("pipeline", "hello")
            return {fact.tree for fact in facts if isinstance(fact, PipelineBundleExpired)}

        async def old_is_announced() -> bool:
            return repository.tree("hello", old) in await announced()

        await eventually(old_is_announced, within_s=120)
        assert repository.tree("hello", head) not in await announced()
        assert repository.tree("hello", old) in await stored_bundles(nc), "the hour has not passed"
        assert process.returncode is None
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def test_a_pass_that_fails_is_said_and_tried_again(nats_url: str) -> None:
    seen: list[str] = []
    passes: list[int] = []

    async def collect() -> Done:
        passes.append(1)
        if len(passes) == 1:
            raise InfrastructureError("no answer")
        return Done(expired=0, deleted=2, deleted_bytes=5_000_000)

    async def full() -> float:
        return 1.0

    async with background(keep_collected(full, collect, monotonic, seen.append, EAGER)):
        await eventually(lambda: len(seen) >= 2)
    assert seen[:2] == [
        "code was not collected: no answer",
        "2 bundles of code that nothing needs were deleted, 5.0 MB",
    ]


async def test_the_words_of_a_pass_that_ended_badly_are_passed_on(nats_url: str, tmp_path: Path) -> None:
    settings = Settings(nats_url=nats_url, nats_seed_file=tmp_path / "nobodys.nk")
    with pytest.raises(InfrastructureError, match="`fastflow gc` ended with"):
        await collect_once(settings, 30.0)

"""A store and its projection: rows and checkpoint together, deleted and folded anew."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from fastflow_events import subjects
from fastflow_events.errors import AnotherLogError
from fastflow_events.fact import UnknownFact
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.projection import apply_batch, catch_up, project
from fastflow_events.service.store import Store, delete_store, open_store, this_build
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import CAUSE, cancel_requested, run_requested
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.memory_log import MemoryLog

SCHEMA = "CREATE TABLE IF NOT EXISTS seen (seq INTEGER PRIMARY KEY, id TEXT NOT NULL)"


class Seen:
    """Keeps the position of every fact."""

    name = "seen"
    subject = subjects.EVENTS

    def __init__(self, store: Store, *, fail_at: int = 0) -> None:
        self._store = store
        self.fail_at = fail_at
        self.at = 0
        self.doubted: list[tuple[str, str]] = []

    async def apply(self, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            self._store.write("INSERT INTO seen VALUES (?, ?)", [(recorded.seq, recorded.id)])
            if recorded.seq == self.fail_at:
                self.fail_at = 0
                raise OSError("disk full")

    def doubt(self, aggregate: str, id: str) -> None:
        self.doubted.append((aggregate, id))

    def committed(self, seq: int) -> None:
        self.at = seq


async def rows(store: Store) -> list[int]:
    return [row[0] for row in await store.reader.execute_fetchall("SELECT seq FROM seen ORDER BY seq")]


async def three_facts() -> MemoryLog:
    log = MemoryLog()
    await log.append(Position(aggregate="run", id="r"), [run_requested(), cancel_requested()], cause=CAUSE)
    await log.append(Position(aggregate="run", id="s"), [run_requested()], cause=CAUSE)
    return log


async def test_a_projection_catches_up_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    log = await three_facts()
    for expected in ([1, 2, 3], [1, 2, 3, 4]):
        async with open_store(tmp_path / "x.db", SCHEMA) as store:
            seen = Seen(store)
            async with background(project(log, store, seen)):
                await eventually(lambda last=expected[-1], s=seen: s.at == last)  # type: ignore[misc]
            assert await rows(store) == expected
        await log.append((await log.load("run", "s")).position, [cancel_requested()], cause=CAUSE)


@pytest.mark.parametrize("since", ["memory", "another time"])
@pytest.mark.parametrize("follow", [project, catch_up])
async def test_rows_of_a_log_that_is_no_more_are_folded_anew_by_the_next_start(
    tmp_path: Path, follow: Callable[[MemoryLog, Store, Seen], Awaitable[None]], since: str
) -> None:
    log, another = await three_facts(), MemoryLog()
    another.lived_since = since
    await another.append(Position(aggregate="run", id="t"), [run_requested()], cause=CAUSE)
    async with open_store(tmp_path / "x.db", SCHEMA) as store:
        await catch_up(log, store, Seen(store))
        await catch_up(log, store, Seen(store))
        assert await rows(store) == [1, 2, 3]
        with pytest.raises(AnotherLogError, match="folds it again"):
            await follow(another, store, Seen(store))
    async with open_store(tmp_path / "x.db", SCHEMA) as store:
        await catch_up(another, store, Seen(store))
        assert await rows(store) == [1]


async def test_a_batch_that_fails_leaves_neither_rows_nor_checkpoint_and_is_tried_again(tmp_path: Path) -> None:
    log = await three_facts()
    async with open_store(tmp_path / "x.db", SCHEMA) as store:
        seen = Seen(store, fail_at=2)
        batch = [recorded async for recorded in log.read(subjects.EVENTS)]
        with pytest.raises(OSError, match="disk full"):
            await apply_batch(log.doubts, store, seen, batch)
        assert await rows(store) == []
        assert await store.checkpoint() == 0
        async with background(project(log, store, seen)):
            await eventually(lambda: seen.at == 3)
        assert await rows(store) == [1, 2, 3]


async def test_facts_of_a_newer_release_move_the_checkpoint_only(tmp_path: Path) -> None:
    log = await three_facts()
    position = (await log.load("run", "r")).position
    await log.append(position, [UnknownFact(wire_type="run.teleported.v1", body=b"{}")], cause=CAUSE)
    async with open_store(tmp_path / "x.db", SCHEMA) as store:
        await apply_batch(log.doubts, store, Seen(store), [recorded async for recorded in log.read(subjects.EVENTS)])
        assert await rows(store) == [1, 2, 3]
        assert await store.checkpoint() == 4


async def test_another_schema_or_a_broken_file_is_folded_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with open_store(path, SCHEMA) as store, store.advance(5):
        store.write("INSERT INTO seen VALUES (?, ?)", [(5, "r")])
    async with open_store(path, SCHEMA) as store:
        assert await store.checkpoint() == 5
    async with open_store(path, SCHEMA + " STRICT") as store:
        assert await store.checkpoint() == 0
        assert await rows(store) == []
    path.write_bytes(b"not a database at all" * 100)
    async with open_store(path, SCHEMA) as store:
        assert await store.checkpoint() == 0
    delete_store(path)
    assert list(tmp_path.iterdir()) == []


async def test_background_work_that_fails_ends_the_block_with_its_error() -> None:
    async def fail() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        async with background(fail()):
            await asyncio.sleep(60)


async def test_background_work_ends_with_its_block() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("work")

    async with background(work()):
        await asyncio.sleep(0)
    assert ended == ["work"]


async def test_what_runs_is_known_from_the_start_so_that_no_release_laid_over_it_is_taken_for_it(
    tmp_path: Path,
) -> None:
    this_build.cache_clear()
    async with open_store(tmp_path / "new.db", SCHEMA):
        assert this_build.cache_info().currsize == 1

"""The read model is a fold of the log: delete it, and it comes back, row by row."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.repository.events import RepositoryConfigured, RepositorySynced
from fastflow_events.doubts import Doubts
from fastflow_events.envelope import Reader
from fastflow_events.fact import Fact
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.service.projection import apply_batch
from fastflow_events.service.store import delete_store, open_store
from fastflow_events.testing.builders import (
    CAUSE,
    COMMIT,
    attempt_finished,
    cancel_requested,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
)
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.memory_log import MemoryLog
from fastflow_gateway.adapters.hashes import hash_tables
from fastflow_gateway.adapters.projection import SCHEMA, RowProjection
from fastflow_gateway.adapters.read_model import SqliteReadModel
from fastflow_gateway.adapters.readers import open_readers
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.views.tables import DETAILS, HASHED, LISTED, TABLES
from fastflow_gateway.testing import running_gateway
from nats.aio.client import Client

STORIES: Sequence[tuple[str, str, Sequence[Fact]]] = (
    ("repository", "main", [RepositoryConfigured(url="file:///r", branch="main")]),
    ("pipeline", "hello", [pipeline_discovered()]),
    ("run", "r1", [run_requested(), run_dispatched(), run_claimed(), run_started(), attempt_finished()]),
    ("run", "r2", [run_requested(params={"ü": "b"}, env={"A": "x"}), cancel_requested()]),
    ("repository", "main", [RepositorySynced(commit=COMMIT, pipelines=1)]),
    ("run", "r1", [run_finished()]),
)


async def tell(log: JetStreamLog | MemoryLog) -> None:
    for aggregate, id, facts in STORIES:
        await log.append((await log.load(aggregate, id)).position, facts, cause=CAUSE)


async def hash_of(client: httpx.AsyncClient) -> dict[str, object]:
    found: dict[str, object] = (await client.get("/api/read-model")).json()
    return found


@pytest.mark.nats
async def test_a_deleted_read_model_comes_back_the_same(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    hashes: list[dict[str, object]] = []
    for _ in range(2):
        await tell(jetstream_log) if not hashes else None
        async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base) as client:
            last = await jetstream_log.last_seq()

            async def caught_up(client: httpx.AsyncClient = client, last: int = last) -> bool:
                return (await hash_of(client))["seq"] == last

            await eventually(caught_up)
            hashes.append(await hash_of(client))
        delete_store(tmp_path / "gateway" / "read.db")
    assert hashes[0] == hashes[1]
    assert hashes[0]["tables"].keys() == HASHED.keys()  # type: ignore[attr-defined]


@pytest.mark.nats
async def test_a_read_model_of_another_schema_is_folded_anew(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    await tell(jetstream_log)
    old = tmp_path / "gateway" / "read.db"
    old.parent.mkdir()
    with closing(sqlite3.connect(old)) as db:
        db.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, something_older TEXT)")
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base) as client:
        await eventually(lambda: knows(client, "r1"))


async def knows(client: httpx.AsyncClient, run_id: str) -> bool:
    return [run["id"] for run in (await client.get("/api/runs")).json()["items"]].count(run_id) == 1


@pytest.mark.nats
async def test_a_restarted_gateway_goes_on_where_it_was(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base) as client:
        await tell(jetstream_log)
        await eventually(lambda: knows(client, "r2"))
    await jetstream_log.append(Position(aggregate="run", id="r3"), [run_requested()], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base) as client:
        await eventually(lambda: knows(client, "r3"))
        assert await knows(client, "r1")


@pytest.mark.nats
async def test_a_fact_of_a_newer_release_and_garbage_stop_nothing(
    nats_url: str, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    js = nc.jetstream()
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base) as client:
        await js.publish("fastflow.evt.run.r9.invented", b"garbage")
        headers = {
            "ce-specversion": "1.0",
            "ce-id": "run/r9/1",
            "ce-type": "run.invented.v7",
            "ce-source": "/fastflow/future/1",
            "ce-subject": "run/r9",
            "ce-time": "2030-01-01T00:00:00Z",
            "correlationid": "c",
        }
        await js.publish("fastflow.evt.run.r9.invented", b'{"new": 1}', headers=headers)
        await tell(jetstream_log)
        await eventually(lambda: knows(client, "r2"))
        shown = (await client.get("/api/events", params={"cursor": "1", "limit": "1"})).json()["items"]
        assert [(fact["type"], fact["data"]) for fact in shown] == [("run.invented.v7", {"new": 1})]


async def fold(log: MemoryLog, path: Path, batch_size: int) -> object:
    async with open_store(path, SCHEMA) as store:
        projection = RowProjection(store, Changes())
        facts = [recorded async for recorded in log.read(subjects.EVENTS)]
        for start in range(0, len(facts), batch_size):
            await apply_batch(log.doubts, store, projection, facts[start : start + batch_size])
        async with open_readers(path) as readers:
            return (await hash_tables(path))._replace(seq=0), await SqliteReadModel(readers, path).run("r1")


async def test_how_facts_are_cut_into_batches_changes_no_row(tmp_path: Path) -> None:
    log = MemoryLog()
    await tell(log)
    folded = [await fold(log, tmp_path / f"{size}.db", size) for size in (1, 2, 3, 1000)]
    assert all(one == folded[0] for one in folded)


async def test_facts_of_an_older_version_make_the_same_rows(tmp_path: Path) -> None:
    """A retired `run.requested.v0` called the pipeline `job`; its upcaster makes it today's fact."""

    def run_requested_v0(body: dict[str, object]) -> dict[str, object]:
        return {"pipeline": body["job"], "trigger": {"kind": "http", "who": "ann"}, "commit": COMMIT}

    reader = Reader({"run.requested.v0": ("run.requested.v1", run_requested_v0)})
    headers = {
        "ce-id": "run/r1/1",
        "ce-source": "/fastflow/test/1",
        "ce-subject": "run/r1",
        "ce-time": "2026-03-01T12:00:00Z",
        "correlationid": "test",
    }
    old = reader.recorded(
        1, "fastflow.evt.run.r1.requested", {**headers, "ce-type": "run.requested.v0"}, b'{"job":"hello"}'
    )
    new = reader.recorded(
        1,
        "fastflow.evt.run.r1.requested",
        {**headers, "ce-type": "run.requested.v1"},
        b'{"pipeline":"hello","trigger":{"kind":"http","who":"ann"},"commit":"%s"}' % COMMIT.encode(),
    )
    hashes = []
    for name, recorded in (("old", old), ("new", new)):
        async with open_store(tmp_path / f"{name}.db", SCHEMA) as store:
            await apply_batch(Doubts(), store, RowProjection(store, Changes()), [recorded])
        hashes.append(await hash_tables(tmp_path / f"{name}.db"))
    assert hashes[0] == hashes[1]
    assert hashes[0].seq == 1


async def test_the_columns_of_every_table_are_the_fields_of_its_row(tmp_path: Path) -> None:
    async with open_store(tmp_path / "read.db", SCHEMA) as store:
        named = [(table.name, table.columns, table.key) for table in TABLES]
        for name, columns, key in [*named, ("runs", LISTED, "n"), ("run_details", DETAILS, "n")]:
            found = await store.reader.execute_fetchall(f"SELECT name, pk FROM pragma_table_info('{name}')")
            assert tuple(row[0] for row in found) == columns
            assert [row[0] for row in found if row[1]] == [key]


async def test_a_failed_batch_leaves_neither_rows_nor_checkpoint(tmp_path: Path) -> None:
    log = MemoryLog()
    await tell(log)
    facts = [recorded async for recorded in log.read(subjects.EVENTS)]
    async with open_store(tmp_path / "read.db", SCHEMA) as store:

        class Failing(RowProjection):
            async def apply(self, batch: Sequence[object]) -> None:
                await super().apply(facts)
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await apply_batch(log.doubts, store, Failing(store, Changes()), facts)
        async with open_readers(store.path) as readers:
            assert (await store.checkpoint(), await SqliteReadModel(readers, store.path).run("r1")) == (0, None)

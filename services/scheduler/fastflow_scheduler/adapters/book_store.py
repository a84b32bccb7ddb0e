"""The book in SQLite, so that a restart folds only what is new."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
from fastflow_events import subjects
from fastflow_events.pipeline.events import PipelineVersionStored
from fastflow_events.recorded import Recorded
from fastflow_events.run.events import RunRequested
from fastflow_events.store import Store
from fastflow_rules.admission import Pipeline, Version

from fastflow_scheduler.book import Book, OpenRun, version_of

SCHEMA = (Path(__file__).parent / "schema.sql").read_text()
_OPEN_RUN = msgspec.json.Decoder(OpenRun)
_PIPELINE = msgspec.json.Decoder(Pipeline)
_VERSION = msgspec.json.Decoder(Version)


class BookProjection:
    """Folds every fact into the book and its file; `changed` rings after each batch."""

    subject = subjects.EVENTS

    def __init__(self, store: Store, book: Book) -> None:
        self._store = store
        self._book = book
        self.changed = asyncio.Event()

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold one batch; the rows of what changed are written once."""
        if self._book.seq != await self._store.checkpoint():
            await self._load()
        dirty: set[tuple[str, str]] = set()
        for recorded in batch:
            fact = recorded.fact
            if isinstance(fact, PipelineVersionStored):
                await self._keep_version(recorded.id, fact)
            version = await self._version(fact) if isinstance(fact, RunRequested) else None
            change = self._book.apply(recorded, version)
            dirty.update({change} if change else ())
            dirty.update(("runs", id) for id in self._book.version_arrived(recorded))
        for table, key in dirty:
            await self._write(table, key)

    def committed(self, seq: int) -> None:
        """Wake the dispatcher."""
        self._book.seq = max(self._book.seq, seq)
        self.changed.set()

    async def load(self) -> None:
        """Read the book from its file, at start."""
        await self._load()

    async def _load(self) -> None:
        book, reader = self._book, self._store.reader
        book.seq = await self._store.checkpoint()
        rows = await reader.execute_fetchall("SELECT name, body FROM pipelines")
        book.pipelines = {row["name"]: _PIPELINE.decode(row["body"]) for row in rows}
        rows = await reader.execute_fetchall("SELECT run_id, body FROM runs ORDER BY requested_seq")
        book.runs = {row["run_id"]: _OPEN_RUN.decode(row["body"]) for row in rows}
        rows = await reader.execute_fetchall("SELECT term FROM queue")
        book.term = max((row["term"] for row in rows), default=0)

    async def _version(self, request: RunRequested) -> Version | None:
        async with self._store.db.execute(
            "SELECT body FROM versions WHERE pipeline = ? AND commit_sha = ?", (request.pipeline, request.commit)
        ) as cursor:
            row = await cursor.fetchone()
        return _VERSION.decode(row["body"]) if row else None

    async def _keep_version(self, pipeline: str, fact: PipelineVersionStored) -> None:
        body = msgspec.json.encode(version_of(fact))
        await self._store.db.execute("INSERT OR REPLACE INTO versions VALUES (?, ?, ?)", (pipeline, fact.commit, body))

    async def _write(self, table: str, key: str) -> None:
        db, book = self._store.db, self._book
        if table == "queue":
            await db.execute("INSERT OR REPLACE INTO queue VALUES ('main', ?)", (book.term,))
        elif table == "pipelines":
            body = msgspec.json.encode(book.pipelines[key])
            await db.execute("INSERT OR REPLACE INTO pipelines VALUES (?, ?)", (key, body))
        elif open_run := book.runs.get(key):
            row = (key, open_run.requested_seq, msgspec.json.encode(open_run))
            await db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", row)
        else:
            await db.execute("DELETE FROM runs WHERE run_id = ?", (key,))

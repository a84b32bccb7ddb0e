"""A SQLite file that is a fold of the log: rows and checkpoint commit together, and the file may be deleted."""

import hashlib
import logging
import sqlite3
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TypeAlias

import aiosqlite
import msgspec

from fastflow_events.aggregates.run.judging import Judged, judge
from fastflow_events.aggregates.run.state import Run
from fastflow_events.doubts import SetAside
from fastflow_events.recorded import Life, Recorded

logger = logging.getLogger(__name__)

_META = """
CREATE TABLE IF NOT EXISTS fold (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
-- Facts that are in no row, because this build could not read or fold them.
CREATE TABLE IF NOT EXISTS set_aside (
    seq INTEGER PRIMARY KEY,
    fold TEXT NOT NULL,
    aggregate TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    error TEXT NOT NULL,
    "foreign" INTEGER NOT NULL  -- 1: it is in no row because of who said it
);
-- How the open runs stand, as far as it matters for whose facts count.
CREATE TABLE IF NOT EXISTS standing (
    run_id TEXT PRIMARY KEY,
    body BLOB NOT NULL
) WITHOUT ROWID;
"""
_ABOUT_VALUES = frozenset(
    {
        sqlite3.SQLITE_ERROR,  # such as JSON that it cannot read
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_RANGE,
    }
)
_RUN_ENCODER = msgspec.json.Encoder()
_RUN_DECODER = msgspec.json.Decoder(Run)
Write: TypeAlias = tuple[str, Sequence[Sequence[object]] | None]
"""A statement and the rows it is executed for; with None it is executed once, whatever it is."""
_LEFT_OUT = "INSERT OR REPLACE INTO fold VALUES ('left out by', ?)"


class Store:
    """One file, one writer, one reader; the reader sees committed rows only."""

    def __init__(
        self,
        path: Path,
        db: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        standing: Mapping[str, Run] | None = None,
        *,
        build: str,
    ) -> None:
        self._build = build
        self.path = path
        self.db = db
        self.reader = reader
        self._standing = dict(standing or {})
        self._writes: list[Write] = []

    def judge(self, batch: Sequence[Recorded]) -> Judged:
        """Tell what counts of facts that follow those in the rows."""
        return judge(self._standing, batch)

    def write(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        """Have a statement executed for each of the rows when the block of `advance` ends; nothing sees them before."""
        if rows:
            self._writes.append((query, rows))

    def execute(self, statement: str) -> None:
        """Have a statement executed once when the block of `advance` ends, such as one that makes an index."""
        self._writes.append((statement, None))

    def keep(self, judged: Judged) -> None:
        """Keep how the runs stand, within the transaction that folds the facts."""
        open_runs = [(id, _RUN_ENCODER.encode(run)) for id, run in judged.standing.items() if run is not None]
        over = [(id,) for id, run in judged.standing.items() if run is None and id in self._standing]
        if open_runs:
            self.write("INSERT OR REPLACE INTO standing VALUES (?, ?)", open_runs)
        if over:
            self.write("DELETE FROM standing WHERE run_id = ?", over)

    def take(self, judged: Judged) -> None:
        """The transaction is committed: the next facts follow these."""
        for id, run in judged.standing.items():
            if run is None:
                self._standing.pop(id, None)
            else:
                self._standing[id] = run

    async def checkpoint(self) -> int:
        """Stream position of the last fact that is in the rows; 0 for a new file."""
        async with self.reader.execute("SELECT value FROM fold WHERE name = 'checkpoint'") as cursor:
            row = await cursor.fetchone()
        return int(row[0]) if row else 0

    @asynccontextmanager
    async def advance(self, seq: int) -> AsyncIterator[None]:
        """Write what the block gives to `write`, and the checkpoint `seq`, in one transaction, or nothing.

        All of it goes to SQLite's thread at once when the block ends: there and back costs more than a statement.
        """
        self._writes = []
        yield
        writes = [*self._writes, ("INSERT OR REPLACE INTO fold VALUES ('checkpoint', ?)", [(str(seq),)])]
        await self.db._execute(_write, self.db, writes)  # type: ignore[no-untyped-call]

    async def is_of(self, log: Life) -> bool:
        """True when the rows are of this log, or there are none; else the next opening deletes them."""
        async with self.reader.execute("SELECT value FROM fold WHERE name = 'log'") as cursor:
            row = await cursor.fetchone()
        if row is None:
            await self.db.execute("INSERT INTO fold VALUES ('log', ?)", (log.since,))
        ours = log.holds(Life(row[0] if row else log.since, await self.checkpoint()))
        if not ours:
            await self.db.execute("DELETE FROM fold WHERE name = 'fingerprint'")
        return ours

    def set_aside(self, facts: Collection[SetAside]) -> None:
        """Keep word of facts that the rows do not hold, within the transaction that steps over them."""
        rows = [(f.seq, f.fold, f.aggregate, f.id, f.type, f.error, f.foreign) for f in facts]
        self.write("INSERT OR REPLACE INTO set_aside VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        if not all(f.foreign for f in facts):
            self.step_over()

    def step_over(self) -> None:
        """Remember that this build left out facts, so that another one folds everything anew."""
        self.write(_LEFT_OUT, [(self._build,)])

    async def aside(self) -> list[SetAside]:
        """Every fact that was set aside."""
        rows = await self.reader.execute_fetchall("SELECT * FROM set_aside ORDER BY seq")
        return [SetAside(**(dict(row) | {"foreign": bool(row["foreign"])})) for row in rows]


def _write(db: aiosqlite.Connection, writes: Sequence[Write]) -> None:
    """In SQLite's thread."""
    connection = db._conn
    connection.execute("BEGIN IMMEDIATE")
    try:
        for query, rows in writes:
            if rows is None:
                connection.execute(query)
            else:
                connection.executemany(query, rows)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


@cache
def this_build() -> str:
    """What this program is made of: a hash over the source of our packages that are in use."""
    digest = hashlib.sha256()
    folders = {
        Path(module.__file__).parent
        for name, module in sorted(sys.modules.items())
        if name.startswith("fastflow_") and "." not in name and module.__file__
    }
    for folder in sorted(folders):
        for file in sorted(folder.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


@asynccontextmanager
async def open_store(path: Path, schema: str, build: str | None = None) -> AsyncIterator[Store]:
    """Open the file, creating it; one that was written under another schema is deleted and folded anew.

    So is one of another log, and one whose rows lack facts that another build could not read or fold: this one may know
    better. `build` is this one; None: as the files say.
    """
    ours = this_build() if build is None else build  # now: a release may be laid over the files later
    path.parent.mkdir(parents=True, exist_ok=True)
    fingerprint = hashlib.sha256((_META + schema).encode()).hexdigest()
    if path.exists() and await _fingerprint(path) != fingerprint:
        logger.warning(
            "of another schema or another log, folding anew", extra={"action": "store_rebuilt", "path": str(path)}
        )
        delete_store(path)
    elif path.exists() and await _left_out_by(path) not in ("", ours):
        logger.warning(
            "another release left out facts, folding anew", extra={"action": "store_rebuilt", "path": str(path)}
        )
        delete_store(path)
    async with aiosqlite.connect(path, isolation_level=None) as db, aiosqlite.connect(path) as reader:
        await db.execute("PRAGMA journal_mode = WAL")
        await db.execute("PRAGMA synchronous = NORMAL")
        await db.executescript(_META)
        await db.executescript(schema)
        await db.execute("INSERT OR REPLACE INTO fold VALUES ('fingerprint', ?)", (fingerprint,))
        db.row_factory = reader.row_factory = aiosqlite.Row
        await reader.execute("PRAGMA query_only = ON")
        rows = await db.execute_fetchall("SELECT run_id, body FROM standing")
        yield Store(path, db, reader, {row["run_id"]: _RUN_DECODER.decode(row["body"]) for row in rows}, build=ours)


def is_about_the_file(error: Exception) -> bool:
    """Whether SQLite has trouble with its file, its memory or its locks, and not with the values it was given."""
    if not isinstance(error, sqlite3.Error):
        return False
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF not in _ABOUT_VALUES


def delete_store(path: Path) -> None:
    """Delete the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


async def _fingerprint(path: Path) -> str:
    """Fingerprint of the schema a file was written under; empty for what is no store of ours."""
    return await _said(path, "fingerprint")


async def _left_out_by(path: Path) -> str:
    """The build that left facts out of the rows; empty when none did."""
    return await _said(path, "left out by")


async def _said(path: Path, name: str) -> str:
    try:
        async with aiosqlite.connect(path) as db:
            cursor = await db.execute("SELECT value FROM fold WHERE name = ?", (name,))
            row = await cursor.fetchone()
            return str(row[0]) if row else ""
    except aiosqlite.Error:
        return ""

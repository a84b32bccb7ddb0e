"""A SQLite file that is a fold of the log: rows and checkpoint commit together, and the file may be deleted."""

import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

logger = logging.getLogger(__name__)

_META = """
CREATE TABLE IF NOT EXISTS fold (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID
"""


class Store:
    """One file, one writer, one reader; the reader sees committed rows only."""

    def __init__(self, path: Path, db: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self.path = path
        self.db = db
        self.reader = reader

    async def checkpoint(self) -> int:
        """Stream position of the last fact that is in the rows; 0 for a new file."""
        async with self.reader.execute("SELECT value FROM fold WHERE name = 'checkpoint'") as cursor:
            row = await cursor.fetchone()
        return int(row[0]) if row else 0

    @asynccontextmanager
    async def advance(self, seq: int) -> AsyncIterator[aiosqlite.Connection]:
        """Write rows and the checkpoint `seq` in one transaction, or nothing."""
        await self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
            await self.db.execute("INSERT OR REPLACE INTO fold VALUES ('checkpoint', ?)", (str(seq),))
        except BaseException:
            await self.db.rollback()
            raise
        await self.db.commit()


@asynccontextmanager
async def open_store(path: Path, schema: str) -> AsyncIterator[Store]:
    """Open the file, creating it; one that was written under another schema is deleted and folded anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fingerprint = hashlib.sha256(schema.encode()).hexdigest()
    if path.exists() and await _fingerprint(path) != fingerprint:
        logger.warning("schema changed, folding anew", extra={"action": "store_rebuilt", "path": str(path)})
        delete_store(path)
    async with aiosqlite.connect(path, isolation_level=None) as db, aiosqlite.connect(path) as reader:
        await db.execute("PRAGMA journal_mode = WAL")
        await db.execute("PRAGMA synchronous = NORMAL")
        await db.execute(_META)
        await db.executescript(schema)
        await db.execute("INSERT OR REPLACE INTO fold VALUES ('fingerprint', ?)", (fingerprint,))
        db.row_factory = reader.row_factory = aiosqlite.Row
        await reader.execute("PRAGMA query_only = ON")
        yield Store(path, db, reader)


def delete_store(path: Path) -> None:
    """Delete the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


async def _fingerprint(path: Path) -> str:
    """Fingerprint of the schema a file was written under; empty for what is no store of ours."""
    try:
        async with aiosqlite.connect(path) as db:
            cursor = await db.execute("SELECT value FROM fold WHERE name = 'fingerprint'")
            row = await cursor.fetchone()
            return str(row[0]) if row else ""
    except aiosqlite.Error:
        return ""

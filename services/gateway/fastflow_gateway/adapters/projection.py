"""The read model, written: the only writer, on a connection of its own, so readers see committed rows only."""

import hashlib
import logging
import time
from collections.abc import Sequence
from importlib.resources import files

import aiosqlite
import msgspec
from fastflow_events import subjects
from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded
from fastflow_events.service.store import Store
from msgspec import Struct
from msgspec.structs import astuple

from fastflow_gateway.adapters import run_rows
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.tables import TABLES, VERSION_COLUMNS, Table
from fastflow_gateway.core.views.versions import version_of
from fastflow_gateway.core.views.words import words_from

logger = logging.getLogger(__name__)

_FOLDER = files("fastflow_gateway.adapters")
DERIVED = (_FOLDER / "derived.sql").read_text()
SCHEMA = f"{(_FOLDER / 'schema.sql').read_text()}-- {hashlib.sha256(DERIVED.encode()).hexdigest()}: what is derived"
"""Another file is folded anew when what is derived of its rows is another."""
PRAGMAS = (
    "cache_size = -65536",
    "mmap_size = 1073741824",
    "temp_store = MEMORY",
    "wal_autocheckpoint = 8000",
    "analysis_limit = 1000",
)
DAY_S = 86_400.0
_MARK = "INSERT OR REPLACE INTO fold VALUES ('derived', '1')"
_HISTORY = "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?)"
_MOMENT = "INSERT OR IGNORE INTO moments VALUES (?, ?)"
_MOMENT_EVERY = 500
"""Positions between two moments that are kept."""
_VERSIONS = f"INSERT OR IGNORE INTO versions VALUES ({', '.join('?' * len(VERSION_COLUMNS))})"


class RowProjection:
    """Folds every fact into rows, a whole batch at a time.

    While a log is folded for the first time only rows are written. What is derived of them is made when that is done:
    indexes, counts and words of a million runs at once take seconds, one by one minutes.
    """

    name = "read model"
    subject = subjects.EVENTS

    def __init__(self, store: Store, changes: Changes) -> None:
        self._store = store
        self._changes = changes
        self._changed_runs: set[str] = set()
        self._pipelines_changed = True
        self._derived: bool | None = None
        self._first_until = 0
        self._optimised = time.monotonic()

    async def begin(self, log: EventLog) -> None:
        """Learn how long the log is, if it was never folded; derive what can be derived already.

        Raises:
            InfrastructureError: the log did not answer.
        """
        for pragma in PRAGMAS:
            await self._store.db.execute(f"PRAGMA {pragma}")
        if await self._is_derived():
            return
        self._first_until, checkpoint = await log.last_seq(), await self._store.checkpoint()
        if checkpoint >= self._first_until:
            async with self._store.advance(checkpoint):
                await self._derive()

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold the batch in memory: one look-up and one write per table, however many facts a row gets."""
        self._changed_runs = {recorded.id for recorded in batch if recorded.aggregate == "run"}
        self._pipelines_changed |= any(recorded.aggregate == "pipeline" for recorded in batch)
        derived = await self._is_derived()
        for table in TABLES:
            await self._fold(table, [recorded for recorded in batch if recorded.aggregate == table.aggregate])
        versions = [version_of(recorded) for recorded in batch if isinstance(recorded.fact, PipelineVersionStored)]
        self._store.write(_VERSIONS, [astuple(version) for version in versions if version is not None])
        moments = [(each.seq, text_of(each.told_at)) for each in batch if each.seq % _MOMENT_EVERY == 0]
        self._store.write(_MOMENT, moments)
        runs = [recorded for recorded in batch if recorded.aggregate == "run"]
        changed = await run_rows.folded(self._store.db, runs) if runs else []
        run_rows.write(self._store, changed)
        if derived and time.monotonic() - self._optimised > DAY_S:
            self._optimised = time.monotonic()
            await self._store.db.execute("PRAGMA optimize")
        if derived:
            run_rows.write_derived(self._store, changed)
        elif not batch or batch[-1].seq >= self._first_until:
            await self._derive()

    async def _fold(self, table: Table, facts: Sequence[Recorded]) -> None:
        if not facts:
            return
        before = await _rows(self._store.db, table, sorted({recorded.id for recorded in facts}))
        after = dict(before)
        versions = []
        for recorded in facts:
            row = table.project(after.get(recorded.id), recorded)
            if row is not None and row is not after.get(recorded.id):
                after[recorded.id] = row
                if table.has_history:
                    text = msgspec.json.encode(astuple(row)).decode()
                    versions.append((table.name, recorded.id, recorded.seq, text))
        changed = [astuple(row) for key, row in after.items() if row is not before.get(key)]
        if changed:
            marks = ", ".join("?" * len(table.columns))
            self._store.write(f"INSERT OR REPLACE INTO {table.name} VALUES ({marks})", changed)
            self._store.write(_HISTORY, versions)

    async def _is_derived(self) -> bool:
        if not self._derived:
            found = await self._store.db.execute_fetchall("SELECT 1 FROM fold WHERE name = 'derived'")
            self._derived = bool(list(found))
        return self._derived

    async def _derive(self) -> None:
        """Have it made at the end of this transaction."""
        await self._store.db.create_function("words_of", 3, words_from, deterministic=True)
        for statement in filter(str.strip, DERIVED.split(";\n")):
            self._store.execute(statement)
        self._store.write(_MARK, [()])

    def doubt(self, aggregate: str, id: str) -> None:
        """The log itself refuses what is decided about it."""

    def committed(self, seq: int) -> None:
        """Wake whoever waits for these rows."""
        self._changes.ring(seq, self._changed_runs, pipelines=self._pipelines_changed)
        self._changed_runs, self._pipelines_changed = set(), False


async def _rows(db: aiosqlite.Connection, table: Table, keys: Sequence[str]) -> dict[str, Struct]:
    rows: dict[str, Struct] = {}
    columns = ", ".join(table.columns)
    for start in range(0, len(keys), run_rows.MAX_KEYS):
        some = keys[start : start + run_rows.MAX_KEYS]
        marks = ", ".join("?" * len(some))
        query = f"SELECT {columns} FROM {table.name} WHERE {table.key} IN ({marks})"
        for found in await db.execute_fetchall(query, some):
            rows[found[0]] = table.row(*found)
    return rows

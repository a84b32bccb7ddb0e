"""The read model, written: the only writer, on a connection of its own, so readers see committed rows only."""

from collections.abc import Sequence
from importlib.resources import files

import aiosqlite
from fastflow_events import subjects
from fastflow_events.recorded import Recorded
from fastflow_events.service.store import Store
from msgspec import Struct
from msgspec.structs import astuple

from fastflow_gateway.bell import Changes
from fastflow_gateway.core.views.tables import TABLES, Table

SCHEMA = (files("fastflow_gateway.adapters") / "schema.sql").read_text()
_MAX_KEYS = 500
"""Keys looked up with one statement."""


class RowProjection:
    """Folds every fact into the rows of `TABLES`, a whole batch at a time."""

    name = "read model"
    subject = subjects.EVENTS

    def __init__(self, store: Store, changes: Changes) -> None:
        self._store = store
        self._changes = changes
        self._changed_runs: set[str] = set()
        self._pipelines_changed = True

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold the batch in memory: one look-up and one write per table, however many facts a row gets."""
        self._changed_runs = {recorded.id for recorded in batch if recorded.aggregate == "run"}
        self._pipelines_changed |= any(recorded.aggregate == "pipeline" for recorded in batch)
        for table in TABLES:
            await self._fold(table, [recorded for recorded in batch if recorded.aggregate == table.aggregate])

    async def _fold(self, table: Table, facts: Sequence[Recorded]) -> None:
        if not facts:
            return
        before = await _rows(self._store.db, table, sorted({recorded.id for recorded in facts}))
        after = dict(before)
        project = table.project
        for recorded in facts:
            row = project(after.get(recorded.id), recorded)
            if row is not None:
                after[recorded.id] = row
        changed = [astuple(row) for key, row in after.items() if row is not before.get(key)]
        if changed:
            marks = ", ".join("?" * len(table.columns))
            self._store.write(f"INSERT OR REPLACE INTO {table.name} VALUES ({marks})", changed)

    def doubt(self, aggregate: str, id: str) -> None:
        """The log itself refuses what is decided about it."""

    def committed(self, seq: int) -> None:
        """Wake whoever waits for these rows."""
        self._changes.ring(seq, self._changed_runs, pipelines=self._pipelines_changed)
        self._changed_runs, self._pipelines_changed = set(), False


async def _rows(db: aiosqlite.Connection, table: Table, keys: Sequence[str]) -> dict[str, Struct]:
    rows: dict[str, Struct] = {}
    columns = ", ".join(table.columns)
    for start in range(0, len(keys), _MAX_KEYS):
        some = keys[start : start + _MAX_KEYS]
        marks = ", ".join("?" * len(some))
        query = f"SELECT {columns} FROM {table.name} WHERE {table.key} IN ({marks})"
        for found in await db.execute_fetchall(query, some):
            rows[found[0]] = table.row(*found)
    return rows

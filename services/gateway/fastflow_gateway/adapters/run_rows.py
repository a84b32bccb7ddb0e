"""Runs as SQLite holds them: two tables, and what is derived of them."""

from collections.abc import Sequence
from operator import attrgetter

import aiosqlite
from fastflow_events.recorded import Recorded
from fastflow_events.service.store import Store

from fastflow_gateway.core.views import runs
from fastflow_gateway.core.views.counts import changes
from fastflow_gateway.core.views.run_row import RunRow
from fastflow_gateway.core.views.tables import DETAILS, FIXED, LISTED, field_of
from fastflow_gateway.core.views.words import words_of

MAX_KEYS = 500
"""Keys looked up with one statement."""
COLUMNS = ", ".join("n" if name == "requested_seq" else name for name in RunRow.__struct_fields__)
"""What makes a whole row, of `runs JOIN run_details USING (n)`."""
CHANGING = tuple(name for name in LISTED if name not in FIXED)

Change = tuple[RunRow | None, RunRow]

_listed = attrgetter(*map(field_of, LISTED))
_details = attrgetter(*map(field_of, DETAILS))
_changing = attrgetter(*CHANGING, "requested_seq")
_changing_details = attrgetter(*DETAILS[1:], "requested_seq")


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(columns))})"


def _update(table: str, columns: Sequence[str]) -> str:
    return f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in columns)} WHERE n = ?"


_INSERT, _INSERT_DETAILS = _insert("runs", LISTED), _insert("run_details", DETAILS)
_UPDATE, _UPDATE_DETAILS = _update("runs", CHANGING), _update("run_details", DETAILS[1:])
_USED = (
    "INSERT INTO environments_used VALUES (?, ?) ON CONFLICT DO UPDATE "
    "SET last_started = max(last_started, excluded.last_started)"
)
_HOUR = (
    "INSERT INTO hours VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
    "SET first_n = min(first_n, excluded.first_n), last_n = max(last_n, excluded.last_n)"
)
_ADD = "ON CONFLICT DO UPDATE SET runs = runs + excluded.runs, duration_ms = duration_ms + excluded.duration_ms"
_HOUR_COUNTS = f"INSERT INTO hour_counts VALUES (?, ?, ?, ?) {_ADD}"
_DAY_COUNTS = f"INSERT INTO day_counts VALUES (?, ?, ?, ?, ?) {_ADD}"
_WORDS = "INSERT INTO run_text (rowid, words) VALUES (?, ?)"
_NO_WORDS = "INSERT INTO run_text (run_text, rowid, words) VALUES ('delete', ?, ?)"


async def folded(db: aiosqlite.Connection, facts: Sequence[Recorded]) -> list[Change]:
    """Rows before and after the facts, of those that changed."""
    before = await _rows(db, sorted({recorded.id for recorded in facts}))
    after = dict(before)
    for recorded in facts:
        row = runs.project(after.get(recorded.id), recorded)
        if row is not None:
            after[recorded.id] = row
    return [(before.get(id), row) for id, row in after.items() if row is not before.get(id)]


def write(store: Store, changed: Sequence[Change]) -> None:
    """Have the rows written with the transaction."""
    new = [row for before, row in changed if before is None]
    old = [(before, row) for before, row in changed if before is not None]
    if new:
        store.write(_INSERT, [_listed(row) for row in new])
        store.write(_INSERT_DETAILS, [_details(row) for row in new])
    if old:
        store.write(_UPDATE, [_changing(row) for _, row in old])
        details = [_changing_details(row) for before, row in old if _details(before) != _details(row)]
        store.write(_UPDATE_DETAILS, details)
    used = [(row.environment, row.started_at) for _, row in changed if row.environment and row.started_at]
    if used:
        store.write(_USED, used)


def write_derived(store: Store, changed: Sequence[Change]) -> None:
    """Have the counts and words written with the transaction."""
    counts = changes(changed)
    store.write(_HOUR_COUNTS, [(*key, *sums) for key, sums in counts.hours.items()])
    store.write(_DAY_COUNTS, [(*key, *sums) for key, sums in counts.days.items()])
    hours: dict[int, tuple[int, int]] = {}
    words, gone = [], []
    for before, row in changed:
        if before is None:
            first, last = hours.get(row.hour, (row.requested_seq, row.requested_seq))
            hours[row.hour] = (min(first, row.requested_seq), max(last, row.requested_seq))
        elif before.status == row.status:
            continue
        own, old = words_of(row), "" if before is None else words_of(before)
        if own != old:
            words.append((row.requested_seq, own))
            if before is not None:
                gone.append((row.requested_seq, old))
    store.write(_HOUR, [(hour, *ends) for hour, ends in hours.items()])
    store.write(_NO_WORDS, gone)
    store.write(_WORDS, words)


async def _rows(db: aiosqlite.Connection, ids: Sequence[str]) -> dict[str, RunRow]:
    rows: dict[str, RunRow] = {}
    for start in range(0, len(ids), MAX_KEYS):
        some = ids[start : start + MAX_KEYS]
        marks = ", ".join("?" * len(some))
        query = f"SELECT {COLUMNS} FROM runs JOIN run_details USING (n) WHERE id IN ({marks})"
        for found in await db.execute_fetchall(query, some):
            row = RunRow(*found)
            rows[row.id] = row
    return rows

"""The rows in 32 bytes."""

import hashlib
import sqlite3
from asyncio import to_thread
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from fastflow_events.errors import InfrastructureError

from fastflow_gateway.core.refusals import ModelUnreadable
from fastflow_gateway.core.views.tables import HASHED
from fastflow_gateway.ports import ModelHash


async def hash_tables(path: Path) -> ModelHash:
    """Hash every table of rows ordered by its key, as of one moment; the file may be in use.

    Raises:
        InfrastructureError: the file is no read model.
    """
    try:
        return await to_thread(_hash, path)
    except sqlite3.Error as exc:
        raise InfrastructureError(ModelUnreadable(str(exc)), path=str(path)) from exc


def _hash(path: Path) -> ModelHash:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as db:
        db.execute("BEGIN")
        seq = db.execute("SELECT value FROM fold WHERE name = 'checkpoint'").fetchone()
        tables = {table: _hash_of(db, table, *how) for table, how in HASHED.items()}
    whole = hashlib.sha256(msgspec.json.encode(tables, order="sorted")).hexdigest()
    return ModelHash(int(seq[0]) if seq else 0, tables, whole)


def _hash_of(db: sqlite3.Connection, table: str, columns: Sequence[str], order: str) -> str:
    digest = hashlib.sha256()
    encoder = msgspec.msgpack.Encoder()
    for row in db.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}"):
        digest.update(encoder.encode(row))
    return digest.hexdigest()

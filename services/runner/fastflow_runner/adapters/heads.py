"""The code of each pipeline's newest version in SQLite, so that a start reads no histories to know it."""

from collections.abc import Sequence

from fastflow_events import subjects
from fastflow_events.aggregates.pipeline.events import PipelineRemoved, PipelineVersionStored
from fastflow_events.recorded import Recorded
from fastflow_events.service.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS heads (  -- one row per pipeline that is there
    pipeline TEXT PRIMARY KEY,
    tree     TEXT NOT NULL
) WITHOUT ROWID
"""


class Heads:
    """Folds the facts of all pipelines."""

    name = "heads"
    subject = subjects.of_kind("pipeline")

    def __init__(self, store: Store) -> None:
        self._store = store

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold one batch."""
        for recorded in batch:
            match recorded.fact:
                case PipelineVersionStored(tree=tree):
                    self._store.write("INSERT OR REPLACE INTO heads VALUES (?, ?)", [(recorded.id, tree)])
                case PipelineRemoved():
                    self._store.write("DELETE FROM heads WHERE pipeline = ?", [(recorded.id,)])
                case _:
                    pass

    def doubt(self, aggregate: str, id: str) -> None:
        """What cannot be trusted is not prepared either: whoever prepares loads it first."""

    def committed(self, seq: int) -> None:
        """Nobody waits."""

    async def trees(self) -> dict[str, str]:
        """Tree by pipeline."""
        rows = await self._store.reader.execute_fetchall("SELECT pipeline, tree FROM heads ORDER BY pipeline")
        return {row["pipeline"]: row["tree"] for row in rows}

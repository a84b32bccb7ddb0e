"""Open claims in SQLite, so that a restart folds only what is new."""

from collections.abc import Callable, Sequence

from fastflow_events import subjects
from fastflow_events.aggregates.run.commands import Holder
from fastflow_events.recorded import Recorded
from fastflow_events.service.store import Store

from fastflow_runner.core.claims import Closed, OpenClaim, change
from fastflow_runner.ports import AttemptRef

SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (  -- one row per run with an attempt that somebody holds
    run_id      TEXT PRIMARY KEY,
    attempt     INTEGER NOT NULL,
    runner      TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    engine      TEXT NOT NULL
) WITHOUT ROWID
"""


class ClaimsProjection:
    """Folds the facts of all runs; `hear` is told every fact once its batch is committed."""

    name = "claims"
    subject = subjects.of_kind("run")

    def __init__(self, store: Store, hear: Callable[[Recorded], None], hear_doubt: Callable[[str], None]) -> None:
        self._store = store
        self._hear = hear
        self._hear_doubt = hear_doubt
        self._batch: Sequence[Recorded] = ()
        self._doubted: set[str] = set()

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold one batch."""
        self._batch = batch
        for recorded in batch:
            match change(recorded):
                case OpenClaim(ref=ref, holder=holder):
                    row = (ref.run_id, ref.attempt, holder.runner, holder.incarnation, holder.engine)
                    self._store.write("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?)", [row])
                case Closed(run_id=run_id):
                    self._store.write("DELETE FROM claims WHERE run_id = ?", [(run_id,)])
                case _:
                    pass

    def doubt(self, aggregate: str, id: str) -> None:
        """Nobody's claim on this run counts any more."""
        self._doubted.add(id)
        self._hear_doubt(id)

    def committed(self, seq: int) -> None:
        """Tell what the batch holds to whom it concerns."""
        batch, self._batch = self._batch, ()
        for recorded in batch:
            self._hear(recorded)

    async def open_claims(self) -> list[OpenClaim]:
        """Every open claim, by whomever, on a run that can be trusted."""
        rows = await self._store.reader.execute_fetchall("SELECT * FROM claims ORDER BY run_id")
        return [
            OpenClaim(
                ref=AttemptRef(run_id=row["run_id"], attempt=row["attempt"]),
                holder=Holder(runner=row["runner"], incarnation=row["incarnation"], engine=row["engine"]),
            )
            for row in rows
            if row["run_id"] not in self._doubted
        ]

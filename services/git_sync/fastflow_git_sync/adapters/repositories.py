"""What the log says of repositories, in SQLite."""

from collections.abc import Sequence

import msgspec
from fastflow_events import subjects
from fastflow_events.aggregates.repository.decider import Repository, repository_decider
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.store import Store

from fastflow_git_sync.adapters.reached import Reached
from fastflow_git_sync.ports import Known

AGGREGATE = repository_decider.aggregate


class RepositoryRows(Reached):
    """Table `repositories`: the projection that writes it, and `Repositories` that reads it."""

    name = "repositories of git_sync"
    subject = subjects.of_kind(AGGREGATE)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold the batch, oldest first."""
        names = sorted({recorded.id for recorded in batch})
        query = "SELECT name, state FROM repositories WHERE name IN (SELECT value FROM json_each(?))"
        rows = await self._store.db.execute_fetchall(query, (msgspec.json.encode(names).decode(),))
        states = {str(name): msgspec.json.decode(state, type=Repository) for name, state in rows}
        newest = {recorded.id: recorded for recorded in batch}
        for recorded in batch:
            before = states.get(recorded.id, repository_decider.initial)
            states[recorded.id] = repository_decider.evolve(before, recorded.fact)
        self._store.write(
            "INSERT OR REPLACE INTO repositories VALUES (?, ?, ?, ?)",
            [
                (name, newest[name].seq, newest[name].version, msgspec.json.encode(state))
                for name, state in states.items()
            ],
        )

    async def known(self, name: str) -> Known[Repository]:
        """The repository."""
        async with self._store.reader.execute("SELECT * FROM repositories WHERE name = ?", (name,)) as cursor:
            row = await cursor.fetchone()
        if row is None:
            return Known(Repository(), Position(aggregate=AGGREGATE, id=name))
        state = msgspec.json.decode(row["state"], type=Repository)
        return Known(state, Position(aggregate=AGGREGATE, id=name, seq=row["seq"], version=row["version"]))

    async def all(self) -> dict[str, Repository]:
        """Every repository that was ever named in a fact, by name."""
        async with self._store.reader.execute("SELECT name, state FROM repositories ORDER BY name") as cursor:
            return {str(name): msgspec.json.decode(state, type=Repository) async for name, state in cursor}

"""What the log says of pipelines, in SQLite."""

from collections.abc import Sequence

import msgspec
from fastflow_events import subjects
from fastflow_events.pipeline.decider import Pipeline, pipeline_decider
from fastflow_events.pipeline.events import (
    PipelineBundleExpired,
    PipelineClashed,
    PipelineClashEnded,
    PipelineVersionStored,
)
from fastflow_events.recorded import Position, Recorded
from fastflow_events.store import Store
from msgspec.structs import replace

from fastflow_git_sync.adapters.reached import Reached
from fastflow_git_sync.ports import Known

AGGREGATE = pipeline_decider.aggregate


class PipelineRows(Reached):
    """Tables `pipelines`, `versions` and `rivals`: the projection that writes them, and `Pipelines` that reads them."""

    subject = subjects.of_kind(AGGREGATE)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold the batch, oldest first."""
        for recorded in batch:
            await self._apply_version(recorded)
            await self._apply_state(recorded)

    async def known(self, name: str, *, commit: str, tree: str | None) -> Known[Pipeline]:
        """The pipeline, with those of its versions that are of this commit or this tree."""
        reader = self._store.reader
        async with reader.execute("SELECT * FROM pipelines WHERE name = ?", (name,)) as cursor:
            row = await cursor.fetchone()
        if row is None:
            return Known(Pipeline(), Position(aggregate=AGGREGATE, id=name))
        query = "SELECT commit_id, tree FROM versions WHERE pipeline = ? AND (commit_id = ? OR tree = ?)"
        async with reader.execute(query, (name, commit, tree or "")) as cursor:
            versions = {str(commit_id): str(tree) async for commit_id, tree in cursor}
        state = replace(msgspec.json.decode(row["state"], type=Pipeline), versions=versions)
        return Known(state, Position(aggregate=AGGREGATE, id=name, seq=row["seq"], version=row["version"]))

    async def present(self, repository: str) -> dict[str, Pipeline]:
        """Every pipeline of the repository that is at its head, by name, without versions."""
        query = "SELECT name, state FROM pipelines WHERE repository = ? AND phase <> 'absent' ORDER BY name"
        async with self._store.reader.execute(query, (repository,)) as cursor:
            return {str(name): msgspec.json.decode(state, type=Pipeline) async for name, state in cursor}

    async def claimed(self, repository: str) -> set[str]:
        """Names of pipelines that another repository has, and this one too."""
        query = "SELECT pipeline FROM rivals WHERE repository = ?"
        async with self._store.reader.execute(query, (repository,)) as cursor:
            return {str(name) async for (name,) in cursor}

    async def _apply_version(self, recorded: Recorded) -> None:
        match recorded.fact:
            case PipelineVersionStored(commit=commit, tree=tree):
                row = (recorded.id, commit, tree)
                await self._store.db.execute("INSERT OR REPLACE INTO versions VALUES (?, ?, ?)", row)
            case PipelineBundleExpired(tree=tree):
                query = "DELETE FROM versions WHERE pipeline = ? AND tree = ?"
                await self._store.db.execute(query, (recorded.id, tree))
            case PipelineClashed(repository=rival):
                await self._store.db.execute("INSERT OR REPLACE INTO rivals VALUES (?, ?)", (recorded.id, rival))
            case PipelineClashEnded(repository=rival):
                query = "DELETE FROM rivals WHERE pipeline = ? AND repository = ?"
                await self._store.db.execute(query, (recorded.id, rival))
            case _:
                return

    async def _apply_state(self, recorded: Recorded) -> None:
        query = "SELECT state FROM pipelines WHERE name = ?"
        async with self._store.db.execute(query, (recorded.id,)) as cursor:
            row = await cursor.fetchone()
        before = msgspec.json.decode(row["state"], type=Pipeline) if row else pipeline_decider.initial
        state = replace(pipeline_decider.evolve(before, recorded.fact), versions={})
        await self._store.db.execute(
            "INSERT OR REPLACE INTO pipelines VALUES (?, ?, ?, ?, ?, ?)",
            (recorded.id, recorded.seq, recorded.version, state.repository, state.phase, msgspec.json.encode(state)),
        )

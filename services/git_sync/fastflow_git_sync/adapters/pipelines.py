"""What the log says of pipelines, in SQLite."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import msgspec
from fastflow_events import subjects
from fastflow_events.aggregates.pipeline.decider import Pipeline, pipeline_decider
from fastflow_events.aggregates.pipeline.events import (
    PipelineBundleExpired,
    PipelineClashed,
    PipelineClashEnded,
    PipelineVersionStored,
)
from fastflow_events.recorded import Position, Recorded
from fastflow_events.service.store import Store
from msgspec.structs import replace

from fastflow_git_sync.adapters.reached import Reached
from fastflow_git_sync.ports import Known

AGGREGATE = pipeline_decider.aggregate


class PipelineRows(Reached):
    """Tables `pipelines`, `versions` and `rivals`: the projection that writes them, and `Pipelines` that reads them."""

    name = "pipelines of git_sync"
    subject = subjects.of_kind(AGGREGATE)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold the batch, oldest first."""
        for query, rows in groupby(filter(None, map(_row, batch)), key=itemgetter(0)):
            self._store.write(query, [row for _, row in rows])
        await self._apply_states(batch)

    async def known(self, name: str, *, commit: str, tree: str | None) -> Known[Pipeline]:
        """The pipeline, with those of its versions that are of this commit or this tree."""
        query = (
            "SELECT seq, version, state, commit_id, tree FROM pipelines LEFT JOIN versions "
            "ON pipeline = name AND (commit_id = ? OR tree = ?) WHERE name = ?"
        )
        rows = list(await self._store.reader.execute_fetchall(query, (commit, tree or "", name)))
        if not rows:
            return Known(Pipeline(), Position(aggregate=AGGREGATE, id=name))
        versions = {str(row["commit_id"]): str(row["tree"]) for row in rows if row["commit_id"] is not None}
        seq, version, state = rows[0]["seq"], rows[0]["version"], msgspec.json.decode(rows[0]["state"], type=Pipeline)
        return Known(
            replace(state, versions=versions), Position(aggregate=AGGREGATE, id=name, seq=seq, version=version)
        )

    async def present(self, repository: str) -> dict[str, Pipeline]:
        """Every pipeline of the repository that is at its head, by name, without versions."""
        query = "SELECT name, state FROM pipelines WHERE repository = ? AND phase <> 'absent' ORDER BY name"
        async with self._store.reader.execute(query, (repository,)) as cursor:
            return {str(name): msgspec.json.decode(state, type=Pipeline) async for name, state in cursor}

    async def commits(self, repository: str) -> set[str]:
        """Every commit of which the log knows a version of one of the repository's pipelines."""
        query = "SELECT DISTINCT commit_id FROM versions JOIN pipelines ON name = pipeline WHERE repository = ?"
        async with self._store.reader.execute(query, (repository,)) as cursor:
            return {str(commit) async for (commit,) in cursor}

    async def claimed(self, repository: str) -> set[str]:
        """Names of pipelines that another repository has, and this one too."""
        query = "SELECT pipeline FROM rivals WHERE repository = ?"
        async with self._store.reader.execute(query, (repository,)) as cursor:
            return {str(name) async for (name,) in cursor}

    async def _apply_states(self, batch: Sequence[Recorded]) -> None:
        """Read, fold and write the state of everything the batch is about, at once however long it is."""
        names = sorted({recorded.id for recorded in batch})
        query = "SELECT name, state FROM pipelines WHERE name IN (SELECT value FROM json_each(?))"
        rows = await self._store.db.execute_fetchall(query, (msgspec.json.encode(names).decode(),))
        states = {str(name): msgspec.json.decode(state, type=Pipeline) for name, state in rows}
        newest = {recorded.id: recorded for recorded in batch}
        for recorded in batch:
            before = states.get(recorded.id, pipeline_decider.initial)
            states[recorded.id] = replace(pipeline_decider.evolve(before, recorded.fact), versions={})
        self._store.write(
            "INSERT OR REPLACE INTO pipelines VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    name,
                    newest[name].seq,
                    newest[name].version,
                    state.repository,
                    state.phase,
                    msgspec.json.encode(state),
                )
                for name, state in states.items()
            ],
        )


def _row(recorded: Recorded) -> tuple[str, tuple[str, ...]] | None:
    """What a fact does to the tables beside `pipelines`: a statement and its values."""
    match recorded.fact:
        case PipelineVersionStored(commit=commit, tree=tree):
            return "INSERT OR REPLACE INTO versions VALUES (?, ?, ?)", (recorded.id, commit, tree)
        case PipelineBundleExpired(tree=tree):
            return "DELETE FROM versions WHERE pipeline = ? AND tree = ?", (recorded.id, tree)
        case PipelineClashed(repository=rival):
            return "INSERT OR REPLACE INTO rivals VALUES (?, ?)", (recorded.id, rival)
        case PipelineClashEnded(repository=rival):
            return "DELETE FROM rivals WHERE pipeline = ? AND repository = ?", (recorded.id, rival)
        case _:
            return None

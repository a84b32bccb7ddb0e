"""The read model, read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from fastflow_events.errors import InfrastructureError
from msgspec import Struct

from fastflow_gateway.adapters.hashes import hash_tables
from fastflow_gateway.adapters.kept_rows import KeptRows
from fastflow_gateway.adapters.readers import Readers, Values
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.core.views.repositories import RepositoryRow
from fastflow_gateway.core.views.runs import RunRow, RunStatus
from fastflow_gateway.core.views.secrets import SecretRow
from fastflow_gateway.core.views.tokens import TokenRow
from fastflow_gateway.ports import ModelHash
from fastflow_gateway.shared import Shared

R = TypeVar("R", bound=Struct)


class SqliteReadModel:
    """`ReadModel` over reading connections of its own."""

    def __init__(self, readers: Readers, path: Path, changes: Changes | None = None) -> None:
        """`changes` is told by whoever writes the rows; without it nothing that was read is kept."""
        self._readers = readers
        self._path = path
        self._pipelines = KeptRows[PipelineRow](lambda: changes.of_pipelines) if changes else None
        self._hashing = Shared()

    async def run(self, run_id: str) -> RunRow | None:
        """The run, or None."""
        rows = await self._select(RunRow, "runs WHERE id = ?", run_id)
        return rows[0] if rows else None

    async def runs(
        self, *, pipeline: str | None, statuses: Sequence[RunStatus], before_seq: int | None, limit: int
    ) -> list[RunRow]:
        """Runs, newest first."""
        conditions: list[str] = ["1"]
        values: list[str | int] = []
        if pipeline is not None:
            conditions.append("pipeline = ?")
            values.append(pipeline)
        if before_seq is not None:
            conditions.append("requested_seq < ?")
            values.append(before_seq)
        if pipeline is not None and statuses:  # "+": the runs of a pipeline are fewer than those of a status
            conditions.append(f"+status IN ({', '.join('?' * len(statuses))})")
            values += statuses
        newest = f"{' AND '.join(conditions)} ORDER BY requested_seq DESC LIMIT ?"
        if pipeline is not None or not statuses:
            return await self._select(RunRow, f"runs WHERE {newest}", *values, limit)
        # The newest of each status come out of an index; together they would be looked for among all runs.
        columns = ", ".join(RunRow.__struct_fields__)
        each = f"SELECT * FROM (SELECT {columns} FROM runs WHERE status = ? AND {newest})"
        union = " UNION ALL ".join([each] * len(set(statuses)))
        arguments = [value for status in sorted(set(statuses)) for value in (status, *values, limit)]
        return await self._select(RunRow, f"({union}) ORDER BY requested_seq DESC LIMIT ?", *arguments, limit)

    async def followers(self, run: RunRow) -> list[str]:
        """Ids of the runs that its end asked for, oldest first."""
        query = (
            "SELECT id, requested_seq FROM runs WHERE upstream_run = ? UNION SELECT id, requested_seq FROM runs "
            "WHERE json_array_length(upstream_runs) > 1 AND requested_seq > ? AND instr(upstream_runs, ?) "
            "ORDER BY requested_seq"
        )
        return [row[0] for row in await self._all(query, (run.id, run.requested_seq, f'"{run.id}"'))]

    async def pipeline(self, name: str) -> PipelineRow | None:
        """The pipeline, removed ones too, or None."""
        if self._pipelines is None:
            return await self._pipeline(name)
        return await self._pipelines.get(name, self._pipeline)

    async def pipelines(self, *, after: str, limit: int) -> list[PipelineRow]:
        """Pipelines by name."""
        where = "pipelines WHERE name > ? AND status != 'removed' ORDER BY name LIMIT ?"
        return await self._select(PipelineRow, where, after, limit)

    async def pipeline_names(self) -> list[str]:
        """Names by name."""
        found = await self._all("SELECT name FROM pipelines WHERE status != 'removed' ORDER BY name", ())
        return [row[0] for row in found]

    async def repositories(self) -> list[RepositoryRow]:
        """Repositories by name."""
        return await self._select(RepositoryRow, "repositories WHERE status != 'removed' ORDER BY name")

    async def environment_uses(self) -> dict[str, str]:
        """When a run was started last in each environment."""
        query = (
            "SELECT environment, MAX(started_at) FROM runs WHERE environment IS NOT NULL AND started_at IS NOT NULL "
            "GROUP BY environment"
        )
        return {str(environment): str(at) for environment, at in await self._readers.slow.ask(query)}

    async def secrets(self) -> list[SecretRow]:
        """Secrets by name."""
        return await self._select(SecretRow, "secrets WHERE removed = 0 ORDER BY name")

    async def tokens(self) -> list[TokenRow]:
        """Tokens, newest first."""
        return await self._select(TokenRow, "tokens ORDER BY created_at DESC, id")

    async def token_of(self, hash: str) -> TokenRow | None:
        """The token with this hash, or None."""
        rows = await self._select(TokenRow, "tokens WHERE hash = ?", hash)
        return rows[0] if rows else None

    async def hashes(self) -> ModelHash:
        """Hash every table as of one moment, once for all who ask."""
        return await self._hashing.fresh(lambda: hash_tables(self._path))

    async def ping(self) -> str | None:
        """None when rows can be read."""
        try:
            await self._all("SELECT 1", ())
        except InfrastructureError as exc:
            return str(exc)
        return None

    async def _pipeline(self, name: str) -> PipelineRow | None:
        rows = await self._select(PipelineRow, "pipelines WHERE name = ?", name)
        return rows[0] if rows else None

    async def _select(self, row: type[R], rest: str, *values: str | int) -> list[R]:
        columns = ", ".join(row.__struct_fields__)
        return [row(*found) for found in await self._all(f"SELECT {columns} FROM {rest}", values)]

    async def _all(self, query: str, values: Values) -> list[Any]:
        return await self._readers.quick.ask(query, values)

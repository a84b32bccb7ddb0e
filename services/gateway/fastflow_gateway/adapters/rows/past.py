"""The read model as it was after the fact at a position of the log: the same questions, answered as then.

A run that is over never changes, so its row is its row at any later moment. Those that were in flight are few; how they
stood is folded from their own facts. Of what is not a run every version is kept. Secrets, tokens, environments,
statistics and searches are as they are now.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from fastflow_events.log import EventLog
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.adapters.rows.asking import listed
from fastflow_gateway.adapters.rows.present import PresentRows
from fastflow_gateway.adapters.rows.run_kin import RunKinQuestions
from fastflow_gateway.adapters.rows.search import SearchQuestions
from fastflow_gateway.adapters.rows.statistics import StatisticsQuestions
from fastflow_gateway.core.run_filter import RunFilter, matches
from fastflow_gateway.core.views.backfills import BackfillRow
from fastflow_gateway.core.views.chains import ChainRow
from fastflow_gateway.core.views.environments import EnvironmentRow
from fastflow_gateway.core.views.installation import QueueRow, SettingsRow
from fastflow_gateway.core.views.pipelines import PipelineRow
from fastflow_gateway.core.views.repositories import RepositoryRow
from fastflow_gateway.core.views.run_row import OVER, RunRow, RunStatus
from fastflow_gateway.core.views.runs import fold
from fastflow_gateway.core.views.schedules import ScheduleRow
from fastflow_gateway.core.views.secrets import SecretRow
from fastflow_gateway.core.views.steps import status_at
from fastflow_gateway.core.views.tokens import TokenRow
from fastflow_gateway.core.views.versions import VersionRow
from fastflow_gateway.ports import ModelHash, ReadModel
from fastflow_gateway.rows.runs import Order, StatusCounts

V = TypeVar("V", bound=Struct)
AT_ONCE = 16
"""Runs whose facts are read at a time."""


class PastReadModel(StatisticsQuestions, SearchQuestions, RunKinQuestions):
    """`ReadModel` as of a position."""

    def __init__(self, now: PresentRows, log: EventLog, seq: int) -> None:
        super().__init__(now.readers)
        self._now = now
        self._log = log
        self._seq = seq

    async def run(self, run_id: str) -> RunRow | None:
        """The run as it was."""
        row = await self._now.run(run_id)
        if row is None or row.requested_seq > self._seq:
            return None
        return row if self._was_over(row) else await self._as_then(row)

    async def runs(
        self, wanted: RunFilter, *, after: int | None = None, limit: int, order: Order = "newest"
    ) -> list[RunRow]:
        """Runs that were over then, and those that were in flight, in one order."""
        names = await self._names(wanted)
        wanted = replace(wanted, tags=(), repositories=(), pipelines=tuple(names or ()))
        if names == []:
            return []
        over = await self._now.runs(wanted, after=after, limit=limit, order=order, over_by=self._seq)
        newest = order == "newest"
        candidates = [
            row
            for row in await self._candidates(wanted)
            if after is None or (row.requested_seq < after if newest else row.requested_seq > after)
        ]
        candidates.sort(key=lambda row: row.requested_seq, reverse=newest)
        found: list[RunRow] = []
        while candidates and len(found) < limit:
            some, candidates = candidates[:AT_ONCE], candidates[AT_ONCE:]
            found += [row for row in await self._all_as_then(some) if matches(wanted, row, None)]
        both = sorted([*over, *found], key=lambda row: row.requested_seq, reverse=newest)
        return both[:limit]

    async def open_runs(self) -> list[RunRow]:
        """Every run that was in flight, newest first."""
        flight = await self._now.in_flight(self._seq)
        found = [await self._all_as_then(flight[n : n + AT_ONCE]) for n in range(0, len(flight), AT_ONCE)]
        return sorted((row for some in found for row in some), key=lambda row: -row.requested_seq)

    async def run_counts(self, wanted: RunFilter) -> StatusCounts:
        """How many there were."""
        names = await self._names(wanted)
        if names == []:
            return StatusCounts({}, is_exact=True)
        if wanted == RunFilter(pipelines=wanted.pipelines):
            return await self._now.counts_at(self._seq, names)
        wanted = replace(wanted, tags=(), repositories=(), pipelines=tuple(names or ()))
        over = await self._now.run_counts(wanted, over_by=self._seq)
        counts = dict(over.counts)
        candidates = await self._candidates(wanted)
        for start in range(0, len(candidates), AT_ONCE):
            for row in await self._all_as_then(candidates[start : start + AT_ONCE]):
                if matches(wanted, row, None):
                    counts[row.status] = counts.get(row.status, 0) + 1
        return StatusCounts(counts, is_exact=over.is_exact)

    async def followers(self, run: RunRow) -> list[str]:
        """Those that had been asked for."""
        ids = await self._now.followers(run)
        query = "SELECT id FROM runs WHERE id IN (SELECT value FROM json_each(?)) AND n <= ? ORDER BY n"
        return [row[0] for row in await self._now.all(query, (listed(ids), self._seq))]

    async def statuses(self, run_ids: Sequence[str]) -> dict[str, RunStatus]:
        """The status of each as it was."""
        rows = [row for id in run_ids if (row := await self._now.run(id)) is not None]
        found = {row.id: row.status if self._was_over(row) else status_at(row, self._seq) for row in rows}
        return {id: status for id, status in found.items() if status is not None}

    async def pipeline(self, name: str) -> PipelineRow | None:
        """The pipeline as it was."""
        return await self._version(PipelineRow, "pipelines", name)

    async def pipelines(self, *, after: str, limit: int) -> list[PipelineRow]:
        """Pipelines by name."""
        rows = await self._versions(PipelineRow, "pipelines", "name")
        return [row for row in rows if row.name > after and row.status != "removed"][:limit]

    async def pipeline_names(self) -> list[str]:
        """Names by name."""
        return [row.name for row in await self._versions(PipelineRow, "pipelines", "name") if row.status != "removed"]

    async def versions(self, pipeline: str, commits: Collection[str] | None = None) -> list[VersionRow]:
        """Those that were stored by then."""
        return [row for row in await self._now.versions(pipeline, commits) if row.seq <= self._seq]

    async def schedule(self, id: str) -> ScheduleRow | None:
        """The schedule as it was."""
        return await self._version(ScheduleRow, "schedules", id)

    async def schedules(self) -> list[ScheduleRow]:
        """Schedules by id."""
        return await self._versions(ScheduleRow, "schedules", "id")

    async def chains(self) -> list[ChainRow]:
        """Chains by id."""
        return [row for row in await self._versions(ChainRow, "chains", "id") if not row.removed]

    async def backfill(self, id: str) -> BackfillRow | None:
        """The backfill as it was."""
        row = await self._now.backfill(id)
        return None if row is None or row.requested_seq > self._seq else self._not_yet_cancelled(row)

    async def backfills(
        self, *, pipeline: str | None = None, before_seq: int | None = None, limit: int
    ) -> list[BackfillRow]:
        """Backfills, newest first."""
        end = self._seq + 1 if before_seq is None else min(before_seq, self._seq + 1)
        rows = await self._now.backfills(pipeline=pipeline, before_seq=end, limit=limit)
        return [self._not_yet_cancelled(row) for row in rows]

    async def repository(self, name: str) -> RepositoryRow | None:
        """The repository as it was."""
        return await self._version(RepositoryRow, "repositories", name)

    async def repositories(self) -> list[RepositoryRow]:
        """Repositories by name."""
        rows = await self._versions(RepositoryRow, "repositories", "name")
        return [row for row in rows if row.status != "removed"]

    async def settings(self) -> SettingsRow | None:
        """What held for everything."""
        rows = await self._versions(SettingsRow, "settings", "id")
        return rows[0] if rows else None

    async def queue_lease(self) -> QueueRow | None:
        """The lease of then."""
        rows = await self._versions(QueueRow, "queue", "id")
        return rows[0] if rows else None

    async def secret(self, name: str) -> SecretRow | None:
        """The secret, as it is now."""
        return await self._now.secret(name)

    async def secrets(self) -> list[SecretRow]:
        """Secrets, as they are now."""
        return await self._now.secrets()

    async def environment(self, id: str) -> EnvironmentRow | None:
        """The environment, as it is now."""
        return await self._now.environment(id)

    async def environments(self) -> list[EnvironmentRow]:
        """Environments, as they are now."""
        return await self._now.environments()

    async def environment_uses(self) -> dict[str, str]:
        """As it is now."""
        return await self._now.environment_uses()

    async def tokens(self) -> list[TokenRow]:
        """Tokens, as they are now."""
        return await self._now.tokens()

    async def token_of(self, hash: str) -> TokenRow | None:
        """The token with this hash, as it is now."""
        return await self._now.token_of(hash)

    async def position_at(self, instant: str) -> int:
        """A position at or before an instant."""
        return min(self._seq, await self._now.position_at(instant))

    async def hashes(self) -> ModelHash:
        """Of the rows as they are now."""
        return await self._now.hashes()

    async def ping(self) -> str | None:
        """None when rows can be read."""
        return await self._now.ping()

    def at(self, seq: int, log: EventLog) -> ReadModel:
        """The read model as it was even earlier."""
        return PastReadModel(self._now, log, min(seq, self._seq))

    def _was_over(self, row: RunRow) -> bool:
        return row.seq <= self._seq and row.status in OVER

    async def _as_then(self, row: RunRow) -> RunRow:
        """The row folded up to then; of a run whose facts are gone from the log only its status is known."""
        history = (await self._log.load("run", row.id)).recorded
        then = fold(recorded for recorded in history if recorded.seq <= self._seq)
        return then or replace(row, status=status_at(row, self._seq) or "queued", outcome=None, finished_at=None)

    async def _all_as_then(self, rows: Iterable[RunRow]) -> list[RunRow]:
        return list(await asyncio.gather(*map(self._as_then, rows)))

    async def _candidates(self, wanted: RunFilter) -> list[RunRow]:
        """Runs in flight that may be wanted, as far as what never changes and their status say."""
        if wanted.is_open is False or wanted.outcomes or wanted.longer_than_s is not None:
            return []
        lasting = replace(wanted, statuses=(), branches=(), runners=(), is_open=None, q="")
        return [
            row
            for row in await self._now.in_flight(self._seq)
            if matches(lasting, row, None) and (not wanted.statuses or status_at(row, self._seq) in wanted.statuses)
        ]

    async def _names(self, wanted: RunFilter) -> list[str] | None:
        """Pipelines that are asked for, by what was said of them then; None when all are."""
        if not wanted.tags and not wanted.repositories:
            return list(wanted.pipelines) or None
        tags = {tag.casefold() for tag in wanted.tags}
        return [
            row.name
            for row in await self._versions(PipelineRow, "pipelines", "name")
            if (not wanted.repositories or row.repository in wanted.repositories)
            and (not tags or tags & set(msgspec.json.decode(row.tags)))
            and (not wanted.pipelines or row.name in wanted.pipelines)
        ]

    async def _version(self, row: type[V], kind: str, id: str) -> V | None:
        query = "SELECT row FROM history WHERE kind = ? AND id = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
        found = await self._now.all(query, (kind, id, self._seq))
        return row(*msgspec.json.decode(found[0][0])) if found else None

    async def _versions(self, row: type[V], kind: str, key: str) -> list[V]:
        """The newest version of each, by id; whoever has a version has a row."""
        newest = "SELECT row FROM history WHERE kind = ?1 AND id = {kind}.{key} AND seq <= ?2 ORDER BY seq DESC LIMIT 1"
        query = f"SELECT ({newest.format(kind=kind, key=key)}) FROM {kind} ORDER BY {key}"
        found: list[Any] = await self._now.all(query, (kind, self._seq))
        return [row(*msgspec.json.decode(text)) for (text,) in found if text is not None]

    def _not_yet_cancelled(self, row: BackfillRow) -> BackfillRow:
        if row.seq <= self._seq:
            return row
        return replace(row, seq=row.requested_seq, cancelled=0, cancelled_by="", cancelled_why="", cancelled_at=None)

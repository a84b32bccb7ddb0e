"""Questions about schedules, chains and backfills."""

from fastflow_gateway.adapters.rows.asking import Asking
from fastflow_gateway.core.views.backfills import BackfillRow
from fastflow_gateway.core.views.chains import ChainRow
from fastflow_gateway.core.views.schedules import ScheduleRow


class ScheduleQuestions(Asking):
    """`ScheduleRows`, `ChainRows` and `BackfillRows` over the reading connections."""

    async def schedule(self, id: str) -> ScheduleRow | None:
        """What was said of a schedule beside its file."""
        rows = await self._select(ScheduleRow, "schedules WHERE id = ?", id)
        return rows[0] if rows else None

    async def schedules(self) -> list[ScheduleRow]:
        """All of which there is a fact, by id."""
        return await self._select(ScheduleRow, "schedules ORDER BY id")

    async def chains(self) -> list[ChainRow]:
        """Chains by id."""
        return await self._select(ChainRow, "chains WHERE removed = 0 ORDER BY id")

    async def backfill(self, id: str) -> BackfillRow | None:
        """The backfill, or None."""
        rows = await self._select(BackfillRow, "backfills WHERE id = ?", id)
        return rows[0] if rows else None

    async def backfills(
        self, *, pipeline: str | None = None, before_seq: int | None = None, limit: int
    ) -> list[BackfillRow]:
        """Backfills, newest first."""
        where = "backfills WHERE (? = '' OR pipeline = ?) AND requested_seq < ? ORDER BY requested_seq DESC LIMIT ?"
        end = 2**63 - 1 if before_seq is None else before_seq
        return await self._select(BackfillRow, where, pipeline or "", pipeline or "", end, limit)

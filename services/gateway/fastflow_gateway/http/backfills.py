"""`GET /api/backfills`."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from fastflow_gateway.core.responses.backfills import BackfillResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.backfills import page_of_backfills
from fastflow_gateway.http.cursors import position_of
from fastflow_gateway.http.raises import raises

Limit = Annotated[int, QueryParameter(ge=1, le=100)]


class BackfillPage(Struct, frozen=True, kw_only=True):
    """Backfills, newest first, without their instants."""

    items: list[BackfillResponse]
    next: str | None
    """Give it as `cursor` to go on; null at the end."""


class BackfillController(Controller):
    """Runs for the past."""

    path = "/api/backfills"
    tags = ("schedules",)

    @get(opt=raises())
    async def list(
        self,
        *,
        deps: NamedDependency[Deps],
        pipeline: FromQuery[str | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: Limit = 20,
    ) -> BackfillPage:
        """Every backfill, or those of one pipeline, newest first, with how its runs stand."""
        items, following = await page_of_backfills(
            deps.rows, pipeline=pipeline, before=position_of(cursor), limit=limit
        )
        return BackfillPage(items=items, next=None if following is None else str(following))

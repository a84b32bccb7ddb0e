"""`/api/overview` and `/api/search`."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from fastflow_gateway.core.access.permissions import INSPECT, allowed
from fastflow_gateway.core.access.principal import Principal
from fastflow_gateway.core.responses.overview import Overview
from fastflow_gateway.core.responses.search import Found
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import overview, search
from fastflow_gateway.http.raises import raises

Query = Annotated[str, QueryParameter(min_length=1, max_length=200)]
Limit = Annotated[int, QueryParameter(ge=1, le=50)]


class OverviewController(Controller):
    """Everything at a glance."""

    path = "/api"
    tags = ("overview",)

    @get("/overview", opt=raises())
    async def show(self, *, deps: NamedDependency[Deps]) -> Overview:
        """How everything stands: what needs somebody, what runs, what waits, what comes next."""
        return await overview.overview(deps)

    @get("/search", opt=raises())
    async def search(
        self,
        *,
        deps: NamedDependency[Deps],
        principal: NamedDependency[Principal | None],
        q: Query,
        limit: Limit = 10,
    ) -> Found:
        """Pipelines, runs by the beginning of their id, commits, tags, and secrets by name; of each at most `limit`.

        Names of secrets are found by whoever may list them.
        """
        return await search.search(deps.rows, q, limit=limit, with_secrets=allowed(principal, INSPECT))

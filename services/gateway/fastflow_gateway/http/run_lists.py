"""`/api/runs`: which runs there are, and how many."""

from typing import Annotated

from litestar import Controller, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, QueryParameter

from fastflow_gateway.core.responses.run_pages import RunCounts, RunPage, SparsePage, fields_of, only
from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.run_lists import page_of_runs
from fastflow_gateway.http.raises import raises
from fastflow_gateway.http.run_filters import provide_run_filter
from fastflow_gateway.rows.runs import Order

Limit = Annotated[int, QueryParameter(ge=1, le=1000)]
Fields = Annotated[
    str | None, QueryParameter(description="Members of each run, separated by commas; all when left out.")
]


class RunListController(Controller):
    """Look for runs."""

    path = "/api/runs"
    tags = ("runs",)
    dependencies = {"wanted": Provide(provide_run_filter)}

    @get(opt=raises())
    async def list(
        self,
        *,
        then: NamedDependency[Deps],
        wanted: NamedDependency[RunFilter],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 50,
        order: FromQuery[Order] = "newest",
        fields: Fields = None,
    ) -> Response[RunPage | SparsePage]:
        """Runs, newest first; lists may be given several times, and of their values a run has one."""
        wanted_fields = fields_of(fields)
        items, following = await page_of_runs(then, wanted, cursor=cursor, limit=limit, order=order)
        if wanted_fields:
            return Response(SparsePage(items=only(items, wanted_fields), next=following))
        return Response(RunPage(items=items, next=following))

    @get("/counts", opt=raises())
    async def counts(self, *, then: NamedDependency[Deps], wanted: NamedDependency[RunFilter]) -> RunCounts:
        """How many runs of each status there are; takes what the list takes."""
        found = await then.rows.run_counts(wanted)
        return RunCounts(
            by_status={status: found.counts[status] for status in sorted(found.counts)},
            total=sum(found.counts.values()),
            exact=found.is_exact,
        )

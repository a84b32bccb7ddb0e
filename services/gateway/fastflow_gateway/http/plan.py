"""`/api/sync/plan`: what a branch would change."""

from typing import Annotated

from fastflow_rules.planning.changes import Plan
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.planning import plan_branch

Ref = Annotated[str, QueryParameter(min_length=1, max_length=200)]


@get("/api/sync/plan", tags=["repositories"])
async def show_plan(deps: NamedDependency[Deps], ref: Ref, repository: FromQuery[str | None] = None) -> Plan:
    """Pipelines, schedules with their next seven days, chains, environments and secrets, before and after."""
    return await plan_branch(deps, repository, ref)

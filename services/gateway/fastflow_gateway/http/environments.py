"""`/api/environments`: what runs import, installed once."""

from typing import Annotated

from fastflow_events.errors import ConcurrencyError, DomainError, NotFoundError
from fastflow_events.recorded import Cause
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Struct

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import environment_gc, environments
from fastflow_gateway.handlers.environment_gc import Collection
from fastflow_gateway.handlers.environments import EnvironmentResponse
from fastflow_gateway.http.raises import raises


class EnvironmentList(Struct, frozen=True, kw_only=True):
    """Environments by id."""

    items: list[EnvironmentResponse]
    next: str | None = None


class EnvironmentController(Controller):
    """Look at environments, and have them resolved anew."""

    path = "/api/environments"
    tags = ("environments",)

    @get(opt=raises())
    async def list(self, deps: NamedDependency[Deps]) -> EnvironmentList:
        """Every environment that a runner has prepared, or could not prepare."""
        return EnvironmentList(items=await environments.list_environments(deps))

    @post("/gc", status_code=200, opt=raises(ConcurrencyError))
    async def collect(
        self,
        *,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
        dry_run: FromQuery[bool] = False,
        keep_days: Annotated[float | None, QueryParameter(ge=0, le=36_500)] = None,
    ) -> Collection:
        """Retire what no head, no run that is not over and no run of the last days needs; runners delete it.

        A run that needs it again has it made from the same lock.
        """
        return await environment_gc.collect(deps, who=who, cause=cause, keep_days=keep_days, dry_run=dry_run)

    @post("/{id:str}/refresh", status_code=200, opt=raises(NotFoundError, DomainError, ConcurrencyError))
    async def refresh(
        self,
        *,
        id: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> EnvironmentResponse:
        """Resolve its packages anew when they are needed next; runs that have begun keep what they have."""
        return await environments.refresh_environment(deps, id, who=who, cause=cause)

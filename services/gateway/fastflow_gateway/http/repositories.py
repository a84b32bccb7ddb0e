"""`/api/repositories` and `/api/sync`."""

from typing import Annotated

from fastflow_events.errors import ConcurrencyError, DomainError, NotFoundError
from fastflow_events.recorded import Cause
from fastflow_events.types import RepositoryName
from fastflow_rules.branch_diff.changes import Plan
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter, RawBody
from msgspec import Struct

from fastflow_gateway.core.bodies import read_json
from fastflow_gateway.core.responses.repositories import RepositoryResponse
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import repositories, sync
from fastflow_gateway.handlers.planning import plan_branch
from fastflow_gateway.handlers.repositories import RepositoryBody
from fastflow_gateway.handlers.shown_repositories import shown_repositories
from fastflow_gateway.handlers.sync import SyncAccepted
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.given_names import GivenName
from fastflow_gateway.http.raises import raises

Ref = Annotated[str, QueryParameter(min_length=1, max_length=200)]


class SyncBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which repository to fetch; all that are watched unless named."""

    repository: RepositoryName | None = None


class SyncList(Struct, frozen=True, kw_only=True):
    """The requests that are now in the log."""

    items: list[SyncAccepted]


class RepositoryList(Struct, frozen=True, kw_only=True):
    """Watched repositories by name."""

    items: list[RepositoryResponse]
    next: str | None = None


@get("/api/repositories", tags=["repositories"], opt=raises())
async def list_repositories(then: NamedDependency[Deps]) -> RepositoryList:
    """Every watched repository and how its last reading went."""
    return RepositoryList(items=await shown_repositories(then, await then.rows.repositories()))


class RepositoryController(Controller):
    """Say which repositories are watched."""

    path = "/api/repositories/{name:str}"
    tags = ("repositories",)

    @get(opt=raises(NotFoundError))
    async def show(self, name: FromPath[str], then: NamedDependency[Deps]) -> RepositoryResponse:
        """One watched repository."""
        [shown] = await shown_repositories(then, [await repositories.find_repository(then.rows, name)])
        return shown

    @put(
        operation_class=operation_with(RepositoryBody, example={"url": "https://git.example.org/team/flows.git"}),
        opt=raises(DomainError, ConcurrencyError),
    )
    async def configure(
        self,
        *,
        name: GivenName,
        body: RawBody,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> RepositoryResponse:
        """Watch a repository from now on; a token is sealed before it is stored."""
        options = read_json(body, RepositoryBody)
        row = await repositories.configure(deps, name, options, who=who, cause=cause)
        [shown] = await shown_repositories(deps, [row])
        return shown

    @delete(opt=raises(NotFoundError, DomainError, ConcurrencyError))
    async def remove(
        self,
        *,
        name: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> None:
        """Watch it no more; its pipelines go, its runs and their code stay."""
        await repositories.remove(deps, name, who=who, cause=cause)

    @post("/deploy-key", status_code=202, opt=raises(NotFoundError, DomainError, ConcurrencyError))
    async def deploy_key(
        self,
        *,
        name: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> SyncAccepted:
        """Ask for a new SSH key; its public half appears in the repository, the private one never leaves git_sync."""
        return await repositories.request_deploy_key(deps.log, name, who=who, cause=cause)


@post(
    "/api/sync",
    tags=["repositories"],
    status_code=202,
    operation_class=operation_with(SyncBody, example={"repository": "main"}),
    opt=raises(NotFoundError, ConcurrencyError),
)
async def request_sync(
    *,
    body: RawBody,
    deps: NamedDependency[Deps],
    cause: NamedDependency[Cause],
    who: NamedDependency[str],
) -> SyncList:
    """Ask for the heads to be read now."""
    options = read_json(body, SyncBody)
    return SyncList(items=await sync.request_sync(deps, options.repository, who=who, cause=cause))


@get("/api/sync/plan", tags=["repositories"], opt=raises(NotFoundError, DomainError))
async def show_plan(deps: NamedDependency[Deps], ref: Ref, repository: FromQuery[str | None] = None) -> Plan:
    """Pipelines, schedules with their next seven days, chains, environments and secrets, before and after."""
    return await plan_branch(deps, repository, ref)

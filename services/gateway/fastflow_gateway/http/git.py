"""Histories, files and branches, read from Git or from what was stored of it; and a look before watching."""

from typing import Annotated

from fastflow_events.errors import ContractError, NotFoundError
from fastflow_events.types import RepositoryName
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter, RawBody

from fastflow_gateway.core.bodies import read_json
from fastflow_gateway.core.git_errors import GitUnreadableError
from fastflow_gateway.core.responses.git import RefList, RepositoryCheck, VersionPage
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import git_looks
from fastflow_gateway.handlers.code import code_at_head
from fastflow_gateway.handlers.repositories import RepositoryBody
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.code import CodeResponse, show_code, show_file
from fastflow_gateway.http.raises import raises

Limit = Annotated[int, QueryParameter(ge=1, le=100)]


class CheckBody(RepositoryBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A repository that might be watched; what is left out is not kept from before."""

    name: RepositoryName | None = None
    """Of a repository that is watched: its deploy key is tried, and tokens that were sealed for it."""


class PipelineGitController(Controller):
    """What Git has of a pipeline."""

    path = "/api/pipelines/{name:str}"
    tags = ("pipelines",)

    @get("/versions", opt=raises(NotFoundError, GitUnreadableError, ContractError))
    async def versions(
        self,
        *,
        name: FromPath[str],
        deps: NamedDependency[Deps],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 20,
    ) -> VersionPage:
        """Commits that changed its folder, newest first, with what they changed; read from Git at this moment."""
        return await git_looks.versions_of(deps, name, cursor=cursor, limit=limit)

    @get("/code", opt=raises(NotFoundError, ContractError))
    async def code(self, name: FromPath[str], deps: NamedDependency[Deps]) -> CodeResponse:
        """Every file of its folder at the head."""
        return await show_code(deps.code, await code_at_head(deps, name))

    @get("/code/{file:path}", media_type="text/plain", opt=raises(NotFoundError, ContractError))
    async def file(self, name: FromPath[str], file: FromPath[str], deps: NamedDependency[Deps]) -> Response[bytes]:
        """One file of its folder at the head, byte for byte."""
        return await show_file(deps.code, await code_at_head(deps, name), file)


class RepositoryGitController(Controller):
    """What Git hosts say now."""

    path = "/api/repositories"
    tags = ("repositories",)

    @get("/{name:str}/refs", opt=raises(NotFoundError, GitUnreadableError, ContractError))
    async def refs(self, name: FromPath[str], deps: NamedDependency[Deps]) -> RefList:
        """The branches that its host has now, for `GET /api/sync/plan`."""
        return await git_looks.refs_of(deps, name)

    @post(
        "/check",
        status_code=200,
        opt=raises(ContractError),
        operation_class=operation_with(CheckBody, example={"url": "https://git.example.org/team/flows.git"}),
    )
    async def check(self, *, body: RawBody, deps: NamedDependency[Deps]) -> RepositoryCheck:
        """Whether a repository can be read with these credentials, and what is in it; nothing is stored."""
        asked = read_json(body, CheckBody)
        return await git_looks.check_repository(deps, asked.name, asked)

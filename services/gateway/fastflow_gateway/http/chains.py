"""`/api/pipelines/{name}/downstream-triggers` and `/api/pipelines/graph`."""

from fastflow_events.aggregates.chain.events import ChainSet
from fastflow_events.errors import ConcurrencyError, DomainError, NotFoundError
from fastflow_events.recorded import Cause
from fastflow_rules.definition import PATH_ALLOWED, too_long
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from msgspec import Struct

from fastflow_gateway.core.bodies import pointer_to, read_json
from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.faults import RouteLength
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import chains
from fastflow_gateway.handlers.chains import EdgeResponse, Graph
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.raises import raises

LONGEST_ROUTE = 128


class ChainBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a chain."""

    downstream_pipeline: str
    on_success: bool = True
    on_failure: bool = False
    on_route: str | None = None
    run_config_id: str | None = None
    params: dict[str, str] = {}


class EdgePage(Struct, frozen=True, kw_only=True):
    """What runs after a pipeline."""

    items: list[EdgeResponse]
    next: str | None = None


class ChainController(Controller):
    """What runs after what."""

    path = "/api/pipelines"
    tags = ("chains",)

    @get("/graph", opt=raises())
    async def graph(self, then: NamedDependency[Deps]) -> Graph:
        """Every pipeline, every edge, and where they run in circles."""
        return await chains.graph(then.rows)

    @get("/{name:str}/downstream-triggers", opt=raises(NotFoundError))
    async def list(self, name: FromPath[str], deps: NamedDependency[Deps]) -> EdgePage:
        """What runs after the pipeline, whoever said it."""
        return EdgePage(items=await chains.edges(deps.rows, name))

    @post(
        "/{name:str}/downstream-triggers",
        status_code=200,
        operation_class=operation_with(ChainBody, example={"downstream_pipeline": "report", "on_success": True}),
        opt=raises(NotFoundError, DomainError, ConcurrencyError),
    )
    async def set(
        self,
        *,
        name: FromPath[str],
        body: RawBody,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> EdgeResponse:
        """Let a pipeline run after this one."""
        options = read_json(body, ChainBody)
        route = options.on_route.strip() if options.on_route is not None else None
        if route is not None and not 0 < len(route) <= LONGEST_ROUTE:
            raise InvalidFieldError(RouteLength(LONGEST_ROUTE), "/on_route")
        for param, value in options.params.items():
            if too_long(value):
                raise InvalidFieldError(PATH_ALLOWED, pointer_to("params", param))
        chain = ChainSet(
            upstream=name,
            downstream=options.downstream_pipeline,
            on_success=options.on_success,
            on_failure=options.on_failure,
            on_route=route,
            run_config_id=options.run_config_id,
            params=options.params,
            who=who,
        )
        return await chains.set_chain(deps, chain, cause=cause)

    @delete("/{name:str}/downstream-triggers/{chain_id:str}", opt=raises(NotFoundError, ConcurrencyError))
    async def remove(
        self,
        *,
        name: FromPath[str],
        chain_id: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> None:
        """Forget a chain that was set over the API."""
        await chains.remove_chain(deps, name, chain_id, who=who, cause=cause)

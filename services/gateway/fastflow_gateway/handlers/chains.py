"""Chains that are set over the API, beside those of the files."""

from typing import Literal, TypeAlias

from fastflow_events.absent import NoSuchChain
from fastflow_events.aggregates.chain.commands import RemoveChain, SetChain
from fastflow_events.aggregates.chain.decider import chain_decider
from fastflow_events.aggregates.chain.events import ChainSet
from fastflow_events.errors import NotFoundError
from fastflow_events.execute import execute
from fastflow_events.ids import chain_id
from fastflow_events.recorded import Cause
from fastflow_rules.chains import Edge, cycles, edge_of_api, edges_of_file
from fastflow_rules.definition import from_fact, run_config
from msgspec import Struct, json

from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.faults import NextHasNoRunConfiguration
from fastflow_gateway.core.run_request import check_variables
from fastflow_gateway.core.views.chains import chain_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import find_pipeline, known_definition
from fastflow_gateway.handlers.settling import settle
from fastflow_gateway.ports import ReadModel

Source: TypeAlias = Literal["file", "api"]


class EdgeResponse(Struct, frozen=True, kw_only=True):
    """A pipeline that runs after another."""

    id: str
    upstream: str
    downstream: str
    on_success: bool
    on_failure: bool
    on_route: str | None
    run_config_id: str | None
    params: dict[str, str]
    source: Source


class Graph(Struct, frozen=True, kw_only=True):
    """Every pipeline and what runs after it."""

    nodes: list[str]
    edges: list[EdgeResponse]
    cycles: list[list[str]]
    """Circles, each as a path whose first and last are the same; a run in one ends after fifty chains."""


def shown(edge: Edge) -> EdgeResponse:
    """The edge with its id."""
    return EdgeResponse(
        id=chain_id(edge.upstream, edge.downstream, edge.run_config_id),
        upstream=edge.upstream,
        downstream=edge.downstream,
        on_success=edge.on_success,
        on_failure=edge.on_failure,
        on_route=edge.on_route,
        run_config_id=edge.run_config_id,
        params=edge.params,
        source=edge.source,
    )


async def edges(rows: ReadModel, upstream: str | None = None) -> list[EdgeResponse]:
    """What runs after a pipeline, or after any; the file's word counts where both say the same edge."""
    names = [upstream] if upstream is not None else await rows.pipeline_names()
    found: dict[str, EdgeResponse] = {}
    for name in names:
        row = await rows.pipeline(name)
        definition = json.decode(row.definition) if row else None
        for edge in edges_of_file(name, known_definition(definition)):
            found.setdefault(shown(edge).id, shown(edge))
    for set_one in await rows.chains():
        if upstream in (None, set_one.upstream):
            found.setdefault(set_one.id, shown(edge_of_api(chain_of(set_one))))
    return sorted(found.values(), key=lambda edge: (edge.upstream, edge.downstream, edge.run_config_id or ""))


async def graph(rows: ReadModel) -> Graph:
    """All of it."""
    known = await edges(rows)
    names = {*await rows.pipeline_names(), *(name for e in known for name in (e.upstream, e.downstream))}
    plain = [Edge(upstream=edge.upstream, downstream=edge.downstream) for edge in known]
    return Graph(nodes=sorted(names), edges=known, cycles=cycles(plain))


async def set_chain(deps: Deps, chain: ChainSet, *, cause: Cause) -> EdgeResponse:
    """Let a pipeline run after another.

    Raises:
        NotFoundError: one of them does not exist.
        InvalidFieldError: nobody may give its params, or the next pipeline has no such run configuration.
        ChainExistsError: there is one between them with this run configuration, and it says otherwise.
    """
    check_variables("params", chain.params)
    await find_pipeline(deps, chain.upstream)
    row = await find_pipeline(deps, chain.downstream)
    definition = json.decode(row.definition)
    if (
        chain.run_config_id
        and definition is not None
        and run_config(from_fact(definition), chain.run_config_id) is None
    ):
        raise InvalidFieldError(NextHasNoRunConfiguration(), "/run_config_id")
    id = chain_id(chain.upstream, chain.downstream, chain.run_config_id)
    await settle(deps.changes, await execute(deps.log, chain_decider, id, SetChain(chain=chain), cause=cause))
    return shown(edge_of_api(chain))


async def remove_chain(deps: Deps, upstream: str, id: str, *, who: str, cause: Cause) -> None:
    """Do not any more.

    Raises:
        NotFoundError: nobody set it over the API, or it follows another pipeline.
    """
    if not any(edge.id == id for edge in await edges(deps.rows, upstream)):
        raise NotFoundError(NoSuchChain(), pipeline=upstream)
    await settle(deps.changes, await execute(deps.log, chain_decider, id, RemoveChain(who=who), cause=cause))

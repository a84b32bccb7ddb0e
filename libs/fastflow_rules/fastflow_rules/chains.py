"""What follows the end of a run: the edges between pipelines, what they hand over, and their circles. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from fastflow_events.aggregates.chain.events import ChainSet
from fastflow_events.plain import MAX_DEPTH
from fastflow_events.types import Env, Outcome
from msgspec import Struct

from fastflow_rules.definition import Definition

_MISSING = object()


class Edge(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pipeline that is to run after another."""

    upstream: str
    downstream: str
    on_success: bool = True
    on_failure: bool = False
    on_route: str | None = None
    run_config_id: str | None = None
    params: Env = {}
    source: Literal["file", "api"] = "file"


class Ended(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that ended, as far as others may follow it."""

    run_id: str
    params: Env = {}
    result: dict[str, Any] | None = None
    route: str | None = None


def edges_of_file(pipeline: str, definition: Definition | None) -> list[Edge]:
    """What the pipeline's file says about what runs after it."""
    return [
        Edge(
            upstream=pipeline,
            downstream=edge.pipeline,
            on_success=edge.on_success,
            on_failure=edge.on_failure,
            on_route=edge.on_route,
            run_config_id=edge.run_config_id,
            params=edge.params,
        )
        for edge in (definition.downstream if definition else ())
    ]


def edge_of_api(chain: ChainSet) -> Edge:
    """What somebody set over the API."""
    return Edge(
        upstream=chain.upstream,
        downstream=chain.downstream,
        on_success=chain.on_success,
        on_failure=chain.on_failure,
        on_route=chain.on_route,
        run_config_id=chain.run_config_id,
        params=chain.params,
        source="api",
    )


def matches(edge: Edge, outcome: Outcome, route: str | None) -> bool:
    """Whether the edge is followed; with a route only that route counts, and only after a success."""
    if outcome == "cancelled":
        return False
    succeeded = outcome == "succeeded"
    if edge.on_route is not None:
        return succeeded and route is not None and route.strip() == edge.on_route
    return edge.on_success if succeeded else edge.on_failure


def followers(edges: Iterable[Edge], outcome: Outcome, route: str | None) -> list[Edge]:
    """The edges to follow, by name; the same pipeline with the same run configuration is followed once."""
    chosen: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        if matches(edge, outcome, route):
            chosen.setdefault((edge.downstream, edge.run_config_id or ""), edge)
    return [chosen[key] for key in sorted(chosen)]


def handed_over(mapping: Mapping[str, str], ended: Ended) -> dict[str, str]:
    """The params of the next run; what the one before did not have is left out."""
    return _resolved(mapping, {"params": ended.params, "result": ended.result or {}})


def handed_over_by_all(mapping: Mapping[str, str], ended: Mapping[str, Ended]) -> dict[str, str]:
    """The params of a run that follows several; `ended` is by pipeline."""
    known = {
        "params": {pipeline: run.params for pipeline, run in ended.items()},
        "result": {pipeline: run.result or {} for pipeline, run in ended.items()},
    }
    return _resolved(mapping, known)


def _resolved(mapping: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, str]:
    params = {}
    for name, expression in mapping.items():
        if expression.startswith("$$"):
            params[name] = expression[1:]
        elif expression.startswith(("$params.", "$result.")):
            root, _, path = expression[1:].partition(".")
            if (value := _member(known[root], path)) is not _MISSING:
                params[name] = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        else:
            params[name] = expression
    return params


def _member(value: Any, path: str) -> Any:
    """The member at a path; names may hold dots themselves, the longest that fits wins.

    A path of more steps than values are deep leads nowhere; where one is set it is refused.
    """
    if not path:
        return value
    if isinstance(value, list) and path.partition(".")[0].isdigit():
        index, _, rest = path.partition(".")
        return _member(value[int(index)], rest) if int(index) < len(value) else _MISSING
    if not isinstance(value, Mapping):
        return _MISSING
    steps = path.split(".", MAX_DEPTH + 1)
    if len(steps) > MAX_DEPTH:
        return _MISSING
    for length in range(len(steps), 0, -1):
        name = ".".join(steps[:length])
        if name in value:
            found = _member(value[name], ".".join(steps[length:]))
            if found is not _MISSING:
                return found
    return _MISSING


def ancestors(pipeline: str, upstreams: Mapping[str, Iterable[str]]) -> set[str]:
    """The pipeline and everything it can follow, over any number of steps."""
    seen, todo = {pipeline}, [pipeline]
    while todo:
        for name in upstreams.get(todo.pop(), ()):
            if name not in seen:
                seen.add(name)
                todo.append(name)
    return seen


def of_one_flow(members: Iterable[str], upstreams: Mapping[str, Iterable[str]]) -> bool:
    """Whether pipelines descend from a common one, so that their runs belong together by what began them."""
    sets = [ancestors(member, upstreams) for member in members]
    return len(sets) > 1 and bool(set.intersection(*sets))


def cycles(edges: Iterable[Edge]) -> list[list[str]]:
    """Every circle of pipelines once, as a path whose first and last are the same."""
    following: dict[str, list[str]] = {}
    for edge in edges:
        following.setdefault(edge.upstream, []).append(edge.downstream)
    found: list[list[str]] = []
    done: set[str] = set()

    # Not recursive: a line of some thousand pipelines is deeper than Python calls itself.
    for first in sorted(following):
        if first in done:
            continue
        path, places = [first], {first: 0}
        todo = [iter(sorted(set(following[first])))]
        while todo:
            after = next(todo[-1], None)
            if after is None:
                todo.pop()
                done.add(gone := path.pop())
                del places[gone]
            elif after in places:
                found.append([*path[places[after] :], after])
            elif after not in done:
                places[after] = len(path)
                path.append(after)
                todo.append(iter(sorted(set(following.get(after, ())))))
    return found

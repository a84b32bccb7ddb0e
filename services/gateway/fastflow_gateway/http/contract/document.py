"""The whole document."""

from typing import Any

from litestar import Litestar

from fastflow_gateway.http.contract.answers import answers_of
from fastflow_gateway.http.contract.parameters import parameter_of
from fastflow_gateway.http.contract.routes import Route, routes_of
from fastflow_gateway.http.contract.schemas import components_of, resolved

UNORDERED = frozenset({"paths", "schemas"})
"""Members whose own members come out of a set: they are sorted by name, so that nothing changes by chance."""


def contract_of(app: Litestar) -> dict[str, Any]:
    """OpenAPI 3.1, the same for the same application."""
    known: dict[str, Any] = app.openapi_schema.to_schema()
    routes = list(routes_of(app))
    for route in routes:
        operation = known["paths"][route.path][route.method.lower()]
        known["paths"][route.path][route.method.lower()] = _completed(operation, route)
    answers = [route.answer for route in routes if route.answer is not None]
    bodies = [route.body for route in routes if route.body is not None]
    whole = {**known, "components": {"schemas": components_of(answers, bodies)}}
    ordered: dict[str, Any] = in_order(resolved(whole))
    return ordered


def _completed(operation: dict[str, Any], route: Route) -> dict[str, Any]:
    more: dict[str, Any] = {"responses": answers_of(route, operation["responses"])}
    if "parameters" in operation:
        more["parameters"] = [parameter_of(each, route.bounds) for each in operation["parameters"]]
    return {key: value for key, value in {**operation, **more}.items() if key != "deprecated" or value}


def in_order(value: Any, name: str = "") -> Any:
    """The value with unordered members sorted."""
    match value:
        case dict():
            members = sorted(value.items()) if name in UNORDERED else value.items()
            return {key: in_order(member, key) for key, member in members}
        case list():
            return [in_order(member) for member in value]
        case _:
            return value

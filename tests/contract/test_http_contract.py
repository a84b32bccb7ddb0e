"""What every route says about itself, and whether the document holds together."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastflow_gateway.app import build
from fastflow_gateway.core.problems import CONTENT_TYPE
from fastflow_gateway.http.contract.document import contract_of
from fastflow_gateway.http.contract.routes import Route, routes_of
from fastflow_gateway.settings import GatewaySettings

APP = build(GatewaySettings())
ROUTES = list(routes_of(APP))
DOCUMENT = contract_of(APP)
INSTANT = re.compile(r"(^|_)(at|since|until|due|start|end|nominal|after)$")


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def members(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every member of the document with the way to it."""
    yield path, value
    if isinstance(value, dict):
        for key, member in value.items():
            yield from members(member, f"{path}/{key}")
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from members(member, f"{path}/{at}")


def kinds_of(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_every_route_says_which_errors_it_answers_with(route: Route) -> None:
    assert route.errors is not None, (
        f"{name_of(route)} does not say which errors it answers with. Write beside its path, for what its handler "
        "raises: opt=raises(NotFoundError, DomainError); opt=raises() if nothing can go wrong that goes wrong "
        "everywhere (fastflow_gateway/http/raises.py)"
    )


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_every_body_has_an_example_that_its_schema_takes(route: Route) -> None:
    if (body := route.body) is None:
        return
    assert body.example is not None, f"{name_of(route)}: operation_with({body.type.__name__}, example={{...}})"
    schema = {**DOCUMENT, "$ref": f"#/components/schemas/{body.type.__name__}"}
    jsonschema.Draft202012Validator(schema).validate(body.example)


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_everything_that_goes_wrong_is_documented_as_a_problem(route: Route) -> None:
    answers = DOCUMENT["paths"][route.path][route.method.lower()]["responses"]
    assert {"400", "403", "429", "500", "503"} <= set(answers)
    for status, answer in answers.items():
        if int(status) >= 400:
            assert list(answer["content"]) == [CONTENT_TYPE]


def test_every_reference_leads_somewhere() -> None:
    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    lost = {path: ref for path, ref in members(DOCUMENT) if path.endswith("/$ref") and ref not in schemas}
    assert lost == {}


def test_every_component_is_a_schema() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.answer is not None], ids=name_of)
def test_instants_of_answers_have_their_form(route: Route) -> None:
    assert route.answer is not None
    seen, todo = set(), [route.answer.__name__]
    while todo:
        name = todo.pop()
        if name in seen or name in ("FactData", "Definition"):
            continue
        seen.add(name)
        schema = DOCUMENT["components"]["schemas"][name]
        todo += [ref.rpartition("/")[2] for path, ref in members(schema) if path.endswith("/$ref")]
        for key, member in schema.get("properties", {}).items():
            texts = [kind for kind in kinds_of(member) if kind.get("type") == "string"]
            if INSTANT.search(key) and texts:
                assert all(kind.get("format") == "date-time" for kind in texts), (
                    f"{name}.{key} is an instant: write datetime, or InstantText of fastflow_gateway/core/typed.py"
                )


def test_a_parameter_is_never_null() -> None:
    for path, value in members(DOCUMENT["paths"]):
        if "/parameters/" in path and path.endswith("/schema"):
            assert {"type": "null"} not in value.get("oneOf", [])


def test_what_is_one_of_a_few_is_an_enumeration() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for schema, member in [
        ("RunResponse", "status"),
        ("RunResponse", "outcome"),
        ("RunResponse", "trigger"),
        ("PipelineResponse", "status"),
        ("EdgeResponse", "source"),
        ("ScheduleResponse", "source"),
        ("CellResponse", "status"),
        ("EnvironmentResponse", "status"),
    ]:
        (kind,) = kinds_of(schemas[schema]["properties"][member])
        assert "enum" in kind, f"{schema}.{member}"


def test_a_schedule_has_exactly_one_of_its_three_times() -> None:
    check = jsonschema.Draft202012Validator({**DOCUMENT, "$ref": "#/components/schemas/ScheduleBody"})
    assert check.is_valid({"cron": "0 6 * * *"})
    assert check.is_valid({"interval_s": 60, "cron": None})
    assert not check.is_valid({})
    assert not check.is_valid({"cron": "0 6 * * *", "interval_s": 60})

"""Whatever the command asks a gateway is in the contract: path, method, parameters, body."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATHS: dict[str, Any] = json.loads((ROOT / "proto" / "openapi.json").read_text())["paths"]
METHODS = {
    "get": "get",
    "items": "get",
    "stream": "get",
    "download": "get",
    "post": "post",
    "put": "put",
    "delete": "delete",
}
OURS = {"key", "last_id", "at_most", "beside"}
"""Arguments of the client itself."""


class Call(NamedTuple):
    """One call of the client, as it stands in the source."""

    place: str
    method: str
    path: str
    names: frozenset[str]
    body: bool


def calls() -> Iterator[Call]:
    for file in sorted((ROOT / "libs/fastflow_cli/fastflow_cli").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="door"), attr=name), args=[address, *more], keywords=keywords
                ) if name in METHODS and (path := path_of(address)).startswith("/"):
                    given = frozenset(word.arg for word in keywords if word.arg and word.arg not in OURS)
                    body = bool(more) and not (isinstance(more[0], ast.Constant) and more[0].value is None)
                    yield Call(f"{file.relative_to(ROOT)}:{node.lineno}", METHODS[name], path, given, body)


def path_of(address: ast.expr) -> str:
    """The address with `{}` for what is filled in; empty when it is put together elsewhere."""
    match address:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in values)
        case _:
            return ""


CALLS = list(calls())


def operation_of(call: Call) -> dict[str, Any] | None:
    for path, methods in PATHS.items():
        if re.sub(r"\{\w+\}", "{}", path) == call.path and call.method in methods:
            found: dict[str, Any] = methods[call.method]
            return found
    return None


def test_the_calls_of_the_command_are_found() -> None:
    assert len(CALLS) > 25


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.place} {call.method} {call.path}")
def test_what_the_command_asks_is_in_the_contract(call: Call) -> None:
    operation = operation_of(call)
    assert operation is not None, f"no {call.method.upper()} {call.path}"
    known = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    assert call.names <= known
    if call.body:
        assert "requestBody" in operation

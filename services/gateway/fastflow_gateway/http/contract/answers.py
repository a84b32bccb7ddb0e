"""What an operation answers with, when it goes well and when it does not."""

from collections import defaultdict
from typing import Any

from fastflow_gateway.core.problems import CONTENT_TYPE, status_of, title_of
from fastflow_gateway.http.contract.routes import Route
from fastflow_gateway.http.contract.schemas import REF, Schema

JSON = "application/json"


def answers_of(route: Route, known: dict[str, Any]) -> dict[str, Any]:
    """Status to answer; `known` is what the framework says of those that go well."""
    good = {status: _good(route, answer) for status, answer in known.items() if status.startswith(("2", "3"))}
    if route.method == "GET" and route.answer is not None:
        good["304"] = {"description": "It is what the ETag in `If-None-Match` says."}
    return {**good, **_problems(route)}


def _good(route: Route, answer: dict[str, Any]) -> dict[str, Any]:
    words = {"description": answer["description"]}
    if route.answer is not None:
        return {**words, "content": {JSON: {"schema": {"$ref": REF.format(name=route.answer.__name__)}}}}
    content = {kind: {"schema": _of_bytes(kind)} for kind in answer.get("content", {})}
    return {**words, "content": content} if content else words


def _of_bytes(media_type: str) -> Schema:
    return {"type": "string"} if media_type.startswith("text/") else {"type": "string", "format": "binary"}


def _problems(route: Route) -> dict[str, Any]:
    """One answer per status, with the codes that `type` can end in."""
    by_status: dict[int, dict[str, str]] = defaultdict(dict)
    for error in route.errors or ():
        by_status[status_of(error)][error.code] = title_of(error)
    return {
        str(status): {
            "description": "; ".join(f"`{code}`: {title}" for code, title in sorted(codes.items())),
            "content": {CONTENT_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}},
        }
        for status, codes in sorted(by_status.items())
    }

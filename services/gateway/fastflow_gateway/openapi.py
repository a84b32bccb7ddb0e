"""The contract over HTTP: `python -m fastflow_gateway.openapi` prints it as JSON; it connects to nothing."""

import json
import sys
from typing import Any

from fastflow_gateway.app import build
from fastflow_gateway.settings import GatewaySettings

UNORDERED = frozenset({"headers", "paths", "responses", "schemas"})
"""Members whose own members come out of a set: they are sorted by name, so that nothing changes by chance."""


def document() -> dict[str, Any]:
    """OpenAPI 3.1, the same for the same application."""
    ordered: dict[str, Any] = in_order(build(GatewaySettings()).openapi_schema.to_schema())
    return ordered


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


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")

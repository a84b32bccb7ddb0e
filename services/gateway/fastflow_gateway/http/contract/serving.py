"""`/schema/openapi.json` and `.yaml`."""

from functools import lru_cache
from typing import Any

from litestar import Litestar
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin

from fastflow_gateway.http.contract.document import contract_of
from fastflow_gateway.http.problems import AnyRequest

_once = lru_cache(maxsize=1)(contract_of)
"""It takes a moment, and does not change while the process lives."""


class Json(JsonRenderPlugin):
    """The contract, where the framework would tell what it knows."""

    def render(self, request: AnyRequest, openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        return super().render(request, _of(request.app))


class Yaml(YamlRenderPlugin):
    """The same as YAML."""

    def render(self, request: AnyRequest, openapi_schema: dict[str, Any]) -> bytes:
        """The document as YAML."""
        return super().render(request, _of(request.app))


def _of(app: Litestar) -> dict[str, Any]:
    return _once(app)

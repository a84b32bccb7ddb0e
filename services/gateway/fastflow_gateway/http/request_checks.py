"""What is looked at before any handler: names of query parameters, and whether a body says that it is JSON."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from urllib.parse import parse_qsl

from litestar import Litestar
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute

from fastflow_gateway.core.errors import InvalidParameterError, NoJsonTypeError
from fastflow_gateway.core.refused_requests import NoSuchParameter, ParameterLike, ParameterTwice
from fastflow_gateway.http.problems import AnyRequest

_EMPTY = frozenset({"", "0"})


def parameters_of(app: Litestar) -> Mapping[BaseRouteHandler, Mapping[str, bool]]:
    """Of every handler, and of what it depends on: name of a query parameter to whether it may be given repeatedly."""
    return {
        handler: {parameter.field_alias: parameter.is_sequence for parameter in model.expected_query_params}
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler, model in route.route_handler_map.values()
    }


def refuse_unknown(known: Mapping[str, bool], query: bytes) -> None:
    """Refuse a parameter that a route does not have, which would filter nothing, and one given twice for one value.

    Raises:
        InvalidParameterError: with the closest name there is.
    """
    given = set()
    for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=None):
        if name not in known:
            raise InvalidParameterError(_words(name[:40], known), parameter=name[:40])
        if name in given and not known[name]:
            raise InvalidParameterError(ParameterTwice(name), parameter=name)
        given.add(name)


def _words(name: str, known: Iterable[str]) -> NoSuchParameter | ParameterLike:
    like = get_close_matches(name, known, n=1)
    return ParameterLike(name, like[0]) if like else NoSuchParameter(name)


def must_say_json(request: AnyRequest) -> None:
    """Refuse a body that is not said to be JSON, where one is read; nobody needs to say so of an empty one.

    Raises:
        NoJsonTypeError: it is said to be something else.
    """
    headers = request.headers
    if getattr(getattr(request.scope["route_handler"], "operation_class", None), "body", None) is None:
        return
    if headers.get("content-length", "") in _EMPTY and "transfer-encoding" not in headers:
        return
    given = headers.get("content-type", "nothing")
    kind = given.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise NoJsonTypeError(given)

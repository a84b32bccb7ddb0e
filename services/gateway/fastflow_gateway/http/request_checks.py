"""What is looked at before any handler: names of query parameters, and whether a body says that it is JSON."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple
from urllib.parse import parse_qsl

from litestar import Litestar
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute

from fastflow_gateway.core.errors import InvalidParameterError, NoJsonTypeError
from fastflow_gateway.core.faults import OfParameter
from fastflow_gateway.core.refused_requests import NoSuchParameter, ParameterLike, ParameterTwice
from fastflow_gateway.http.problems import AnyRequest

_EMPTY = frozenset({"", "0"})


class Kind(NamedTuple):
    """What a query parameter takes."""

    many: bool
    """It may be given repeatedly."""
    text: bool
    """Every text is a value."""


def parameters_of(app: Litestar) -> Mapping[BaseRouteHandler, Mapping[str, Kind]]:
    """Of every handler, and of what it depends on, the query parameters by name."""
    return {
        handler: {
            parameter.field_alias: Kind(many=parameter.is_sequence, text=_is_text(handler, parameter.field_name))
            for parameter in model.expected_query_params
        }
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler, model in route.route_handler_map.values()
    }


def _is_text(handler: BaseRouteHandler, name: str) -> bool:
    """Whether every text is a value, be it asked for by the handler or by what it depends on."""
    signatures = [handler.parsed_fn_signature]
    signatures += [provided.parsed_fn_signature for provided in handler.resolve_dependencies().values()]
    fields = [found.parameters[name] for found in signatures if name in found.parameters]
    return any(
        field.is_subclass_of(str) or field.has_inner_subclass_of(str) or field.is_non_string_sequence
        for field in fields
    )


def refuse_unknown(known: Mapping[str, Kind], query: bytes) -> None:
    """Refuse a parameter that a route does not have, which would filter nothing, and one given twice for one value.

    Raises:
        InvalidParameterError: with the closest name there is.
    """
    given = set()
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=None):
        if name not in known:
            raise InvalidParameterError(_words(name[:40], known), parameter=name[:40])
        if name in given and not known[name].many:
            raise InvalidParameterError(ParameterTwice(name), parameter=name)
        if value == "null" and not known[name].text:
            raise InvalidParameterError(OfParameter(name, "null is no value in an address"), parameter=name)
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

"""Every operation, with what its handler says about itself."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Union, get_args, get_origin

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg
from litestar.response import Stream
from litestar.routes import HTTPRoute

from fastflow_gateway.http.bodies import Body
from fastflow_gateway.http.raises import Errors, errors_of

Schema = dict[str, Any]
READS = frozenset({"GET", "HEAD"})
DOCUMENTED = frozenset({"GET", "POST", "PUT", "DELETE"})


class Route(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    handler: HTTPRouteHandler

    @property
    def bounds(self) -> dict[str, Schema]:
        """Name of a parameter to the bounds of its number, exactly; the framework rounds them, and loses some."""
        found: dict[str, Schema] = {}
        for name, field in self.handler.parsed_fn_signature.parameters.items():
            kwarg = field.kwarg_definition
            if isinstance(kwarg, ParameterKwarg):
                alias = kwarg.query or kwarg.header or name
                found[alias] = {
                    key: bound for key, bound in (("minimum", kwarg.ge), ("maximum", kwarg.le)) if bound is not None
                }
        return found

    @property
    def body(self) -> Body | None:
        """The JSON that it reads, if it reads some."""
        found: Body | None = getattr(self.handler.operation_class, "body", None)
        return found

    @property
    def errors(self) -> Errors | None:
        """Every error that it answers with; None when it does not say."""
        return errors_of(self.handler.opt, writes=self.method not in READS, reads_json=self.body is not None)

    @property
    def answer(self) -> type[msgspec.Struct] | None:
        """The JSON that it answers with; None for bytes, streams and nothing."""
        for type_ in _alternatives(self.handler.parsed_fn_signature.return_type.annotation):
            if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
                return type_
        return None

    @property
    def streams(self) -> bool:
        """Whether its answer has no end."""
        return self.handler.media_type == "text/event-stream"


def routes_of(app: Litestar) -> Iterator[Route]:
    """Every documented operation, by path."""
    for route in sorted(app.routes, key=lambda route: route.path_format):
        if isinstance(route, HTTPRoute):
            for handler in sorted(route.route_handlers, key=lambda handler: sorted(handler.http_methods)):
                if handler.resolve_include_in_schema():
                    for method in sorted(handler.http_methods & DOCUMENTED):
                        yield Route(method, route.path_format, handler)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """`Response[T] | Stream` as (T, Stream)."""
    origin = get_origin(annotation)
    if origin is Union or str(origin) == "<class 'types.UnionType'>":
        return tuple(one for each in get_args(annotation) for one in _alternatives(each))
    if isinstance(origin, type) and issubclass(origin, Response) and not issubclass(origin, Stream):
        return _alternatives(get_args(annotation)[0])
    return (annotation,)

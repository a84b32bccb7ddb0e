"""Who asks: correlation of the request, its caller, and whether a foreign web page is behind it."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fastflow_events.recorded import Cause
from litestar import Request
from litestar.di import NamedDependency

from fastflow_gateway.core.access.principal import Principal
from fastflow_gateway.core.errors import ForeignOriginError
from fastflow_gateway.core.faults import OtherOrigin
from fastflow_gateway.core.trace_context import HEADER, read_traceparent
from fastflow_gateway.deps import Deps

NOBODY = "anonymous"
"""Whoever uses what is for everybody."""
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,100}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

AnyRequest = Request[Any, Any, Any]


async def provide_cause(request: AnyRequest, deps: NamedDependency[Deps]) -> Cause:
    """The caller's `X-Request-ID`, else one of our own, and its trace context."""
    given = request.headers.get("x-request-id", "")
    return Cause(
        correlation_id=given if _REQUEST_ID.fullmatch(given) else deps.random_bytes(16).hex(),
        traceparent=read_traceparent(request.headers.get(HEADER)),
    )


async def provide_principal(request: AnyRequest) -> Principal | None:
    """Whoever asks, as the guard has found; None on routes that are for everybody."""
    found: Principal | None = request.state.principal
    return found


async def provide_who(request: AnyRequest, cause: NamedDependency[Cause]) -> str:
    """What facts call whoever asks.

    It is asked for after the cause: what the framework may ask for at the same time it runs in tasks of a group, which
    takes a tenth of the whole request.
    """
    found: Principal | None = request.state.principal
    return found.who if found is not None else NOBODY


def refuse_foreign(host: str, method: str, headers: Mapping[str, str]) -> None:
    """Refuse what a web page of another site makes a browser send.

    Without a login the browser of the person at this machine is the only key there is, so a foreign page must not
    be able to turn it. That `host` is one of our names is known here.

    Raises:
        ForeignOriginError: the request comes from a foreign page.
    """
    if method in _SAFE:
        return
    origin = headers.get("origin")
    if headers.get("sec-fetch-site", "none") in ("cross-site", "same-site") or (
        origin is not None and urlsplit(origin).netloc != host
    ):
        raise ForeignOriginError(OtherOrigin(), origin=(origin or "")[:100])

"""The outermost layer: whoever asks for a host that is not ours, or twice at once, gets no further."""

from collections.abc import Iterable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from fastflow_gateway.core.errors import AmbiguousRequestError, ForeignHostError
from fastflow_gateway.core.hosts import Hosts, is_no_name
from fastflow_gateway.http.refusing import refuse

PROBED = frozenset({"/health/live", "/health/ready", "/metrics"})
"""What orchestrators and Prometheus ask a container for by its address."""


def guarded(app: ASGIApp, hosts: Hosts) -> ASGIApp:
    """The application, for those who call it by one of its names."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        if is_ambiguous(scope["http_version"], scope["headers"]):
            words = "a body has one length: Content-Length, or chunks of HTTP/1.1"
            await refuse(AmbiguousRequestError(words), send, close=True)
            return
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if hosts.answers_to(host) or (scope["path"] in PROBED and is_no_name(host)):
            await app(scope, receive, send)
        else:
            words = "this host is not one of the gateway's names; if it should be, name it in FASTFLOW_ALLOWED_HOSTS"
            await refuse(ForeignHostError(words, host=host[:100]), send, close=True)

    return guard


def is_ambiguous(http_version: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a proxy before us may have found another end of this request than we do, and a second one behind it.

    Source: https://www.rfc-editor.org/rfc/rfc9112.html#section-6.1, which lets a server refuse this.
    """
    names = [name for name, _ in headers]
    chunked = b"transfer-encoding" in names
    return chunked and (b"content-length" in names or http_version == "1.0")

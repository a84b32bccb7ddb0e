"""The outermost layer: whoever asks for a host that is not ours gets no further, whatever the path and the method."""

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from fastflow_gateway.errors import ForeignHostError
from fastflow_gateway.hosts import Hosts, is_no_name
from fastflow_gateway.http.problems import HEADERS
from fastflow_gateway.problems import CONTENT_TYPE, problem_of

PROBED = frozenset({"/health/live", "/health/ready", "/metrics"})
"""What orchestrators and Prometheus ask a container for by its address."""


def guarded(app: ASGIApp, hosts: Hosts) -> ASGIApp:
    """The application, for those who call it by one of its names."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if hosts.answers_to(host) or (scope["path"] in PROBED and is_no_name(host)):
            await app(scope, receive, send)
        else:
            await _refuse(host, send)

    return guard


async def _refuse(host: str, send: Send) -> None:
    error = ForeignHostError(
        "this host is not one of the gateway's names; if it should be, name it in FASTFLOW_ALLOWED_HOSTS",
        host=host[:100],
    )
    problem = problem_of(error)
    body = msgspec.json.encode(problem)
    headers = {**HEADERS, "Content-Type": CONTENT_TYPE, "Content-Length": str(len(body))}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})

"""Requests are counted by kind of route and status: few labels, and never who asked or for what run."""

from collections.abc import Iterable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Counter

REQUESTS = Counter("fastflow_http_requests", "Requests answered, by kind of route and status.", ["route", "status"])
OTHER = "other"


def kinds_of(paths: Iterable[str]) -> frozenset[str]:
    """What comes first in the paths of routes: `runs` for `/api/runs/{run_id}`, `health` for `/health/live`."""
    return frozenset(kind for path in paths if (kind := _kind(path)) and "{" not in kind)


def counted(app: ASGIApp, kinds: frozenset[str]) -> ASGIApp:
    """The application, with its answers counted; a path that nothing answers to is another."""
    known = {kind: kind for kind in kinds}

    async def count(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        route = known.get(_kind(scope["path"]), OTHER)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                REQUESTS.labels(route, message["status"]).inc()
            await send(message)

        await app(scope, receive, sent)

    return count


def _kind(path: str) -> str:
    steps = path.split("/", 3)
    return steps[2] if len(steps) > 2 and steps[1] == "api" else steps[1] if len(steps) > 1 else ""

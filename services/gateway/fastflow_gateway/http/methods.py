"""Methods of paths: HEAD wherever GET is, OPTIONS, and `Allow` with all that a path has."""

import asyncio
import re
from collections import defaultdict
from typing import NamedTuple

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send
from litestar.types.asgi_types import HTTPDisconnectEvent

_PARAMETER = re.compile(r"\{\w+(?::(\w+))?\}")
NOT_ALLOWED = 405


class Path(NamedTuple):
    """Addresses of one form, and what may be done with them."""

    form: re.Pattern[str]
    allow: bytes


def paths_of(app: Litestar) -> list[Path]:
    """Every path of the application, those that are written out first."""
    methods: dict[str, set[str]] = defaultdict(set)
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            methods[route.path] |= route.methods
    return [
        Path(re.compile(_form(path)), ", ".join(sorted(_all_of(methods[path]))).encode())
        for path in sorted(methods, key=lambda path: (path.count("{"), path))
    ]


def _all_of(methods: set[str]) -> set[str]:
    return methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())


def _form(path: str) -> str:
    end, pieces = 0, []
    for found in _PARAMETER.finditer(path):
        pieces += [re.escape(path[end : found.start()]), ".+" if found[1] == "path" else "[^/]+"]
        end = found.end()
    return "".join([*pieces, re.escape(path[end:])]) + "/?"


def with_methods(app: ASGIApp, paths: list[Path]) -> ASGIApp:
    """The application, answering HEAD and OPTIONS too."""

    def allow_of(path: str) -> bytes | None:
        return next((known.allow for known in paths if known.form.fullmatch(path)), None)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        path = scope["path"]

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == NOT_ALLOWED:
                others = [header for header in message["headers"] if header[0].lower() != b"allow"]
                message["headers"] = [*others, (b"allow", allow_of(path) or b"")]
            await send(message)

        match scope["method"]:
            case "OPTIONS" if (allow := allow_of(path)) is not None:
                headers = [(b"allow", allow), (b"content-length", b"0")]
                await send({"type": "http.response.start", "status": 204, "headers": headers})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            case "HEAD":
                await _head(app, {**scope, "method": "GET"}, receive, tell)
            case _:
                await app(scope, receive, tell)

    return answer


async def _head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """What GET would begin its answer with; a stream is left where it would begin."""
    over = asyncio.Event()

    async def begin(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            over.set()

    async def gone() -> HTTPReceiveMessage:
        if not over.is_set():
            return await receive()  # type: ignore[return-value]
        return HTTPDisconnectEvent(type="http.disconnect")

    await app(scope, gone, begin)

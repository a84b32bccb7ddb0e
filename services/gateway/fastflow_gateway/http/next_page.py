"""`Link: <…>; rel="next"` on pages that have a next one (RFC 8288)."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from litestar import Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

NEXT = "x-next-cursor"
"""From the page, which knows the cursor, to who knows the address; it does not leave the gateway."""
_RAW = NEXT.encode()


def tell_next(response: Response[Any]) -> Response[Any]:
    """The response, with the cursor of the next page if it is a page that has one."""
    cursor = getattr(response.content, "next", None)
    if isinstance(cursor, str) and cursor:
        response.headers[NEXT] = urlencode({"cursor": cursor})
    return response


def with_links(app: ASGIApp) -> ASGIApp:
    """The application; a page says where the next one is."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                cursor = next((value for name, value in headers if name == _RAW), None)
                if cursor is not None:
                    others = [header for header in headers if header[0] != _RAW]
                    message["headers"] = [*others, (b"link", _link(scope, cursor))]
            await send(message)

        await app(scope, receive, tell)

    return answer


def _link(scope: Scope, cursor: bytes) -> bytes:
    raw: bytes = scope["raw_path"]
    same = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if pair[0] != "cursor"]
    query = "&".join(filter(None, (urlencode(same), cursor.decode())))
    return b'<%s?%s>; rel="next"' % (raw, query.encode())

"""Headers of every answer, whoever makes it."""

import os
import re

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = b"x-request-id"
_READABLE = re.compile(rb"[\x21-\x7e]{1,100}")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""What an answer says unless its handler says otherwise."""
FRAMED = "frame-ancestors 'self'"
"""In the policy of what our own page shows in a frame; such an answer has no `X-Frame-Options`."""
_RAW = {name.lower().encode(): value.encode() for name, value in HEADERS.items()}


def with_headers(app: ASGIApp) -> ASGIApp:
    """The application, with the headers of every answer and the id of its request."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == REQUEST_ID), b"")
        id = given if _READABLE.fullmatch(given) else os.urandom(16).hex().encode()
        if id is not given:
            others = [header for header in scope["headers"] if header[0] != REQUEST_ID]
            scope["headers"] = [*others, (REQUEST_ID, id)]

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*completed(list(message["headers"])), (REQUEST_ID, id)]
            await send(message)

        await app(scope, receive, tell)

    return answer


def completed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, and those of every answer that are not among them."""
    given = {name.lower(): value for name, value in headers}
    missing = dict(_RAW)
    if FRAMED.encode() in given.get(b"content-security-policy", b""):
        del missing[b"x-frame-options"]
    return headers + [header for header in missing.items() if header[0] not in given]

"""ETags of what is asked for again and again: who has it already is not sent it once more."""

from hashlib import blake2b

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

OK = 200
NOT_MODIFIED = 304
BELOW = "/api/"
_OF_A_BODY = (b"content-length", b"content-type", b"cache-control")


def with_etags(app: ASGIApp) -> ASGIApp:
    """The application; JSON that is sent whole has a weak ETag, the hash of what is visible, unless it has its own."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "GET" or not scope["path"].startswith(BELOW):
            await app(scope, receive, send)
            return
        known = next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
        held: list[Message] = []

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_plain_json(message):
                held.append(message)
                return
            if not held:
                await send(message)
                return
            start = held.pop()
            if not message.get("more_body", False):
                start, message = _tagged(start, message, known)
            await send(start)
            await send(message)

        await app(scope, receive, tell)

    return answer


def matches(known: str, etag: str) -> bool:
    """Whether an `If-None-Match` names the ETag; weak ones are as good."""
    plain = etag.removeprefix("W/")
    return known.strip() == "*" or plain in (tag.strip().removeprefix("W/") for tag in known.split(","))


def _is_plain_json(message: Message) -> bool:
    if message["type"] != "http.response.start" or message["status"] != OK:
        return False
    headers = {name.lower(): value for name, value in message["headers"]}
    return headers.get(b"content-type", b"").startswith(b"application/json") and b"etag" not in headers


def _tagged(start: Message, body: Message, known: bytes) -> tuple[Message, Message]:
    assert start["type"] == "http.response.start"
    assert body["type"] == "http.response.body"
    etag = f'W/"{blake2b(body.get("body", b""), digest_size=12).hexdigest()}"'
    tags = [(b"etag", etag.encode()), (b"cache-control", b"private, no-cache")]
    if known and matches(known.decode("latin-1"), etag):
        kept = [header for header in start["headers"] if header[0].lower() not in _OF_A_BODY]
        start = {**start, "status": NOT_MODIFIED, "headers": [*kept, *tags]}
        return start, {**body, "body": b""}
    kept = [header for header in start["headers"] if header[0].lower() != b"cache-control"]
    return {**start, "headers": [*kept, *tags]}, body

"""Problems of the layers around the application."""

import msgspec
from fastflow_events.errors import FastflowError
from litestar.types import Send

from fastflow_gateway.core.errors import TooManyRequestsError
from fastflow_gateway.core.problems import CONTENT_TYPE, problem_of

UNAVAILABLE = 503


async def refuse(error: FastflowError, send: Send, *, close: bool = False) -> None:
    """Answer; with `close` the connection ends: what comes next on it may be the rest of this."""
    problem = problem_of(error)
    body = msgspec.json.encode(problem)
    headers = {"content-type": CONTENT_TYPE, "content-length": str(len(body)), **again(error, problem.status)}
    if close:
        headers["connection"] = "close"
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def again(error: FastflowError, status: int) -> dict[str, str]:
    """When to ask again, where that makes sense."""
    if isinstance(error, TooManyRequestsError):
        return {"retry-after": str(error.after_s)}
    return {"retry-after": "1"} if status == UNAVAILABLE else {}

"""How much may be asked for: sizes of heads, requests at once, and requests over time."""

import math
import time
from collections.abc import Callable, Iterable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from fastflow_gateway.core.buckets import LOCAL, Buckets, Rate, caller_of
from fastflow_gateway.core.errors import AddressTooLongError, BusyError, HeadTooLargeError, TooManyRequestsError
from fastflow_gateway.http.refusing import refuse
from fastflow_gateway.settings import GatewaySettings

LONGEST_ADDRESS = 8192
MOST_HEADERS = 100
LARGEST_HEAD = 16_384
"""Bytes of names and values."""
MINUTE_S = 60.0
PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Never counted: what is asked about us."""


def rates_of(settings: GatewaySettings) -> dict[str, Rate]:
    """Class of route to what one caller may do."""
    return {
        LOCAL: Rate(settings.local_requests_per_s, settings.local_requests_at_once),
        "any": Rate(settings.requests_per_s, settings.requests_at_once),
        "hooks": Rate(settings.hooks_per_minute / MINUTE_S, settings.hooks_per_minute),
        "sync": Rate(settings.syncs_per_minute / MINUTE_S, settings.syncs_per_minute),
    }


def class_of(caller: str, method: str, path: str) -> str:
    """The class of a route; everything on this machine is one."""
    if caller == LOCAL:
        return LOCAL
    if path.startswith("/api/sync/hooks/"):
        return "hooks"
    return "sync" if path == "/api/sync" and method == "POST" else "any"


def is_too_large(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the headers are more than anybody needs; the server looks only at heads that come in pieces."""
    sizes = [len(name) + len(value) for name, value in headers]
    return len(sizes) > MOST_HEADERS or sum(sizes) > LARGEST_HEAD


def limited(app: ASGIApp, settings: GatewaySettings, clock: Callable[[], float] = time.monotonic) -> ASGIApp:
    """The application, for those who leave something to others."""
    buckets, rates, at_once = Buckets(), rates_of(settings), 0

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal at_once
        if scope["type"] != ScopeType.HTTP or scope["path"] in PROBES:
            await app(scope, receive, send)
            return
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
            await refuse(AddressTooLongError(), send)
            return
        if is_too_large(scope["headers"]):
            await refuse(HeadTooLargeError(), send)
            return
        caller = caller_of(scope["client"][0] if scope["client"] else "")
        kind = class_of(caller, scope["method"], scope["path"])
        if after_s := buckets.take(caller, kind, rates[kind], clock()):
            await refuse(TooManyRequestsError(math.ceil(after_s)), send)
            return
        if at_once >= settings.requests_open:
            await refuse(BusyError(), send)
            return
        at_once += 1
        try:
            await app(scope, receive, send)
        finally:
            at_once -= 1

    return answer

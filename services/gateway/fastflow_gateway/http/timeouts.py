"""HTTP/1.1 as uvicorn speaks it, with an end to what is begun and not finished."""

import asyncio
from collections import Counter
from http import HTTPStatus
from ipaddress import ip_network

import h11
import msgspec
import uvicorn
from fastflow_events.errors import FastflowError
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from fastflow_gateway.core.buckets import LOCAL, caller_of
from fastflow_gateway.core.errors import HeadTooLargeError, TooLateError, UnreadableRequestError
from fastflow_gateway.core.hosts import address_of, proxies_of
from fastflow_gateway.core.problems import CONTENT_TYPE, problem_of
from fastflow_gateway.http.headers import completed
from fastflow_gateway.http.slow_readers import LetsGoOfSlowReaders
from fastflow_gateway.settings import GatewaySettings


def protocol_of(settings: GatewaySettings) -> type[H11Protocol]:
    """Return the protocol that gives a head and a body of a request so much time, however they trickle in."""
    # States of h11, by the names that they print as.
    within_s = {"IDLE": settings.request_head_within_s, "SEND_BODY": settings.request_body_within_s}

    proxies = [ip_network(text) for text in proxies_of(settings.trusted_proxies)]
    held: Counter[str] = Counter()
    """Connections by caller."""

    class Impatient(LetsGoOfSlowReaders):
        """A connection costs its other side nothing, so one that keeps us waiting is ended."""

        slow_reader_s = settings.slow_reader_s

        def __init__(
            self,
            config: uvicorn.Config,
            server_state: ServerState,
            app_state: dict[str, object],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None:
            super().__init__(config, server_state, app_state, _loop)
            self._awaited: str | None = None
            self._end: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            caller = caller_of(self.client[0] if self.client else "")
            held[caller] += 1
            self._caller = caller
            one = address_of(caller)
            free = caller == LOCAL or (one is not None and any(one in network for network in proxies))
            most = settings.connections if free else settings.connections_per_address
            if held[caller] > most or len(self.connections) > settings.connections:
                transport.abort()
            self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            held[self._caller] -= 1
            if not held[self._caller]:
                del held[self._caller]
            self._forget()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._expect()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._expect()

        def _expect(self) -> None:
            """Go on with the time of what is awaited, begin with that of the next, or wait for nothing of theirs."""
            state = str(self.conn.their_state)
            awaited = state if state in within_s and self.timeout_keep_alive_task is None else None
            if awaited == self._awaited:
                return
            self._forget()
            if awaited is not None and not self.transport.is_closing():
                self._awaited = awaited
                self._end = self.loop.call_later(within_s[awaited], self._too_late)

        def _too_late(self) -> None:
            """Say so to who sends a body; a head that does not come may be none at all."""
            if self.cycle is not None and not self.cycle.response_complete and not self.cycle.response_started:
                self.transport.write(raw_answer(TooLateError()))
                self.transport.close()
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            else:
                self.transport.abort()

        def send_400_response(self, msg: str) -> None:
            """Refuse what is no request, or too much of one, as every other problem."""
            if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
                self.transport.abort()
                return
            too_large = len(self.conn.trailing_data[0]) > (self.config.h11_max_incomplete_event_size or 0)
            self.transport.write(raw_answer(HeadTooLargeError() if too_large else UnreadableRequestError()))
            self.transport.close()

        def _forget(self) -> None:
            self._awaited = None
            if self._end is not None:
                self._end.cancel()
                self._end = None

    return Impatient


def raw_answer(error: FastflowError) -> bytes:
    """A problem as the last bytes of a connection that no application has seen."""
    problem = problem_of(error)
    body = msgspec.json.encode(problem)
    headers = completed(
        [
            (b"content-type", CONTENT_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
    )
    head = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n".encode()
    return head + b"".join(b"%s: %s\r\n" % header for header in headers) + b"\r\n" + body

"""HTTP/1.1 as uvicorn speaks it, with an end to what is begun and not finished."""

import asyncio

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from fastflow_gateway.http.slow_readers import LetsGoOfSlowReaders
from fastflow_gateway.settings import GatewaySettings


def protocol_of(settings: GatewaySettings) -> type[H11Protocol]:
    """Return the protocol that gives a head and a body of a request so much time, however they trickle in."""
    # States of h11, by the names that they print as.
    within_s = {"IDLE": settings.request_head_within_s, "SEND_BODY": settings.request_body_within_s}

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
            self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
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
                self._end = self.loop.call_later(within_s[awaited], self.transport.abort)

        def _forget(self) -> None:
            self._awaited = None
            if self._end is not None:
                self._end.cancel()
                self._end = None

    return Impatient

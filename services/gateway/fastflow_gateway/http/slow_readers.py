"""A connection whose other side takes nothing of what it asked for is ended, and its memory given back."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class LetsGoOfSlowReaders(H11Protocol):
    """HTTP/1.1 with an end to waiting for a reader.

    Nothing is said to him, since he does not read; what his side of the connection holds he still gets, and a stream
    goes on behind it when he comes back.
    """

    slow_reader_s: float

    _unread: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """There is more to send than is taken."""
        super().pause_writing()
        self._wait(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """It was taken."""
        self._stop_waiting()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there to wait for."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self, left: int) -> None:
        self._stop_waiting()
        self._unread = self.loop.call_later(self.slow_reader_s, self._look, left)

    def _look(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left < before:
            self._wait(left)
        else:
            self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

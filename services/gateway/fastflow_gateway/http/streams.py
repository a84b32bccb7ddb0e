"""Streams that are open: how many there may be, signs of life, rights, and the end of all of them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from fastflow_events.errors import InfrastructureError
from fastflow_events.types import Seconds
from litestar.datastructures import State
from msgspec import Struct

from fastflow_gateway.core.access.errors import SignInNeededError
from fastflow_gateway.core.access.principal import LOCAL, Principal
from fastflow_gateway.core.errors import StreamsFullError, TooManyStreamsError
from fastflow_gateway.core.live.rights import may_read
from fastflow_gateway.core.refusals import ClientHasStreams, StreamsFull
from fastflow_gateway.handlers.admission import principal
from fastflow_gateway.http.problems import AnyRequest


class OpenStream:
    """One response that goes on and on."""

    def __init__(self, keep_alive_s: Seconds, may_go_on: Callable[[], Awaitable[bool]]) -> None:
        self.keep_alive_s = keep_alive_s
        self.is_over = False
        """True when the server ends, or whoever reads may not any more."""
        self._may_go_on = may_go_on
        self._loop = asyncio.get_running_loop()
        self._spoke_at = self._loop.time()
        self._is_silent = self._is_to_be_asked = False
        self._woken = False
        self._waiting: asyncio.Future[None] | None = None
        self._beat = self._loop.call_later(keep_alive_s, self._look)

    def wake(self) -> None:
        """There may be something to say."""
        self._woken = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def woken(self) -> None:
        """Return at once if somebody has woken it since, else when somebody does."""
        if not self._woken:
            self._waiting = self._loop.create_future()
            await self._waiting
        self._woken = False

    def speaks(self) -> None:
        """Something is said."""
        self._spoke_at = self._loop.time()
        self._is_silent = False

    def is_silent(self) -> bool:
        """True once after each silence that may look like a broken connection."""
        silent, self._is_silent = self._is_silent, False
        return silent

    async def check(self) -> None:
        """Ask again whether it may go on, when it is time to."""
        if self._is_to_be_asked:
            self._is_to_be_asked = False
            self.is_over = self.is_over or not await self._may_go_on()

    def end(self) -> None:
        """Say when to come back, and end."""
        self.is_over = True
        self.wake()

    def leave(self) -> None:
        """It has ended."""
        self._beat.cancel()

    def _look(self) -> None:
        """Rights may have changed; and is it silent?"""
        now = self._loop.time()
        self._is_to_be_asked = True
        if now - self._spoke_at >= self.keep_alive_s:
            self._spoke_at, self._is_silent = now, True
        self.wake()
        self._beat = self._loop.call_at(
            max(self._spoke_at + self.keep_alive_s, now + self.keep_alive_s / 2), self._look
        )


class Streams:
    """Those of this process."""

    def __init__(self, *, most: int, most_of_client: int, keep_alive_s: Seconds) -> None:
        self._most, self._most_of_client, self._keep_alive_s = most, most_of_client, keep_alive_s
        self._open: set[OpenStream] = set()
        self._of_client: Counter[str] = Counter()
        self._draining = False

    def check(self, client: str) -> None:
        """Refuse one more where there are enough.

        Raises:
            TooManyStreamsError: whoever asks has enough open.
            StreamsFullError: all together have.
        """
        if self._most_of_client and self._of_client[client] >= self._most_of_client:
            raise TooManyStreamsError(ClientHasStreams(self._most_of_client))
        if len(self._open) >= self._most:
            raise StreamsFullError(StreamsFull(self._most))

    @contextmanager
    def opened(self, client: str, may_go_on: Callable[[], Awaitable[bool]]) -> Iterator[OpenStream]:
        """Count it while the block runs."""
        stream = OpenStream(self._keep_alive_s, may_go_on)
        if self._draining:
            stream.end()
        self._open.add(stream)
        self._of_client[client] += 1
        try:
            yield stream
        finally:
            stream.leave()
            self._open.discard(stream)
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]

    def drain(self) -> None:
        """End all of them; each says when to come back."""
        self._draining = True
        for stream in self._open:
            stream.end()


class Visit(Struct, frozen=True, kw_only=True):
    """Who asks for a stream, and what of."""

    streams: Streams
    client: str
    pipeline: str | None
    again: Callable[[], Awaitable[Principal | None]]
    """Who asks, looked up anew."""

    async def may_go_on(self) -> bool:
        """Asked again and again while the stream is open; what is not known takes nothing away."""
        try:
            return may_read(await self.again(), self.pipeline)
        except SignInNeededError:
            return False
        except InfrastructureError:
            return True

    def opened(self) -> AbstractContextManager[OpenStream]:
        """Count it while the block runs."""
        return self.streams.opened(self.client, self.may_go_on)


def visit_of(request: AnyRequest, state: State, pipeline: str | None = None) -> Visit:
    """The visit of who asks, by his token, or his address while nobody has one; None is no pipeline in particular.

    Raises:
        TooManyStreamsError: he has enough open.
        StreamsFullError: all together have.
    """
    who: Principal | None = request.state.principal
    address = request.client.host if request.client else ""
    visit = Visit(
        streams=state.streams,
        client=address if who is None or who is LOCAL else who.who,
        pipeline=pipeline,
        again=partial(principal, state.admission, state.deps, request.headers.get("authorization", "")),
    )
    visit.streams.check(visit.client)
    return visit

"""Everything that a page follows, over one connection: what several tails bring, and one id for all of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import NamedTuple

from fastflow_gateway.core.live.frames import Place
from fastflow_gateway.core.live.of_live import Segment, Show, event
from fastflow_gateway.core.live.position import text_of
from fastflow_gateway.http.sse import beating, retry, waited
from fastflow_gateway.http.streams import OpenStream, Visit
from fastflow_gateway.tails.reader import Reader

CHANGES = "changes"


class Wanted(NamedTuple):
    """One of the streams that are put together."""

    name: str
    place: Place
    show: Show
    read: Callable[[Callable[[], None]], AbstractContextManager[Reader]]
    shared: bool = True
    """What this reader is shown of it others are shown, too."""


class Followed:
    """One of them while it is read."""

    def __init__(self, wanted: Wanted, reader: Reader) -> None:
        self.wanted, self.reader = wanted, reader
        self.place = wanted.place
        """How far its reader has been told."""

    @property
    def is_over(self) -> bool:
        """True when nothing more will come of it."""
        return self.reader.is_at_end

    def take(self) -> list[Segment]:
        """What is new."""
        return [one for found in self.reader.take(self.wanted.show, shared=self.wanted.shared) for one in found]


class LiveStream:
    """What one connection is told."""

    def __init__(self, followed: Sequence[Followed], stream: OpenStream) -> None:
        self._followed, self._stream = followed, stream

    @property
    def position(self) -> bytes:
        """Where to go on."""
        return text_of({each.wanted.name: each.place for each in self._followed})

    def hello(self, data: bytes) -> bytes:
        """The first event."""
        return self._bytes(Segment(None, event("hello", data)), with_id=True)

    async def pieces(self, end: Callable[[], Awaitable[bytes]]) -> AsyncIterator[bytes]:
        """Everything, until the run is over or the server ends; `end` is told of the run once all of it was."""
        ended = all(each.wanted.name == CHANGES for each in self._followed)
        while not self._stream.is_over:
            quiet = True
            for each in self._followed:
                if each.reader.is_behind:
                    quiet = False
                    async for piece in beating(self._stream, self._caught_up(each)):
                        yield piece
                elif found := each.take():
                    quiet = False
                    self._stream.speaks()
                    yield self._told(each, found)
                each.place = max(each.place, each.reader.place)  # what is not for this reader lies behind him, too
            if not ended and all(each.is_over for each in self._followed if each.wanted.name != CHANGES):
                ended = True
                yield event("end", await end())
                if all(each.wanted.name != CHANGES for each in self._followed):
                    return
            elif quiet and (piece := await waited(self._stream)):
                yield piece
            await self._stream.check()
        yield retry()

    async def _caught_up(self, each: Followed) -> AsyncIterator[bytes]:
        async for frames, place in each.reader.catch_up():
            found = each.wanted.show(frames)
            piece = self._told(each, found)
            each.place = place
            if piece:
                yield piece

    def _told(self, each: Followed, segments: Sequence[Segment]) -> bytes:
        pieces = []
        for segment in segments:
            each.place = segment.place or each.place
            pieces.append(self._bytes(segment, with_id=segment.place is not None))
        return b"".join(pieces)

    def _bytes(self, segment: Segment, *, with_id: bool) -> bytes:
        return b"id: %s\n%s" % (self.position, segment.body) if with_id else segment.body


async def live(
    visit: Visit, wanted: Sequence[Wanted], hello: Callable[[], bytes], end: Callable[[], Awaitable[bytes]]
) -> AsyncIterator[bytes]:
    """The stream of one visit."""
    yield retry()
    with ExitStack() as stack:
        stream = stack.enter_context(visit.opened())
        followed = [Followed(each, stack.enter_context(each.read(stream.wake))) for each in wanted]
        together = LiveStream(followed, stream)
        yield together.hello(hello())
        async for piece in together.pieces(end):
            yield piece

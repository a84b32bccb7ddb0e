"""Output on its way from the engine to the log: every frame once, in order, in bounded memory.

```text
executor.frames ─► put ─► buffer (bounded) ─► chunk ─► append behind the last one ─► FASTFLOW_OUTPUT
                                                          │ conflict or silence: read the last chunk back,
                                                          └ drop what is stored, go on
```
The engine keeps all output until the attempt is removed, so nothing is kept here: after a restart everything is read
again from its start, counted, and what the last stored chunk covers is not sent again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

from fastflow_events.errors import ConcurrencyError, InfrastructureError
from fastflow_events.output import Chunk, OutFrame, StreamName

from fastflow_runner.bus import OutputStore
from fastflow_runner.core.masking import Mask
from fastflow_runner.core.tally import Tally
from fastflow_runner.ports import AttemptRef

logger = logging.getLogger(__name__)

CHUNK_BYTES = 200_000
BUFFER_BYTES = 2 * CHUNK_BYTES
PAUSE_S = 0.1
"""Between two chunks that are not full; the first one never waits."""
RETRY_AFTER_S = 0.5
_FRAME_COST_BYTES = 32


class _Held(NamedTuple):
    """A frame on its way, and what was so before it."""

    nth: int
    frame: OutFrame
    gap_bytes: int
    line: int
    open: tuple[tuple[StreamName, int, int], ...]


class Shipper:
    """Ships the output of one attempt; `lead` are lines of the runner's own that come before the script's."""

    def __init__(
        self,
        store: OutputStore,
        ref: AttemptRef,
        *,
        holders: Callable[[], Awaitable[Collection[str]]],
        lead: Sequence[OutFrame] = (),
        mask: Mask | None = None,
        most_bytes: int | None = None,
        pause_s: float = PAUSE_S,
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        """`holders` asks who has held the attempt by now, and raises where it is somebody else's.

        `most_bytes` is as much as is taken of the engine's, whatever the entry program counts; None is everything.

        A frame counts as a byte at least.
        """
        self.tally = Tally()
        self._store = store
        self._ref = ref
        self._holders = holders
        self._seq = 0
        self._buffer: deque[_Held] = deque()
        self._buffered_bytes = 0
        self._filled = asyncio.Event()
        """There may be something to store, or the end."""
        self._room = asyncio.Event()
        """There may be room in the buffer."""
        self._lead = tuple(lead)
        self._mask = mask
        self._left_bytes = most_bytes
        self._pause_s, self._retry_after_s = pause_s, retry_after_s
        self._refused_frames = 0
        self.refused_bytes = 0
        """What the engine gave beyond that, and is not stored."""
        self._seen = 0
        self._stored_next = 0
        self._closing = False
        self._closed = asyncio.Event()

    @property
    def skip(self) -> int:
        """Frames of the engine that need not be read again."""
        return max(0, self._seen - len(self._lead)) + self._refused_frames

    async def resume(self) -> None:
        """Find out what an earlier process has stored.

        Raises:
            InfrastructureError: the bus did not answer.
            FencedError: the attempt belongs to somebody else.
        """
        stored = await self._look()
        if stored is not None and stored.last:
            self._closed.set()

    async def put(self, frame: OutFrame, *, gap_bytes: int = 0) -> None:
        """Take the engine's next frame, before which bytes may be missing; waits while the bus is slower."""
        if self._seen < len(self._lead):
            await self._say_lead()
        if not self._may_pass(frame):
            return
        if self._buffered_bytes >= BUFFER_BYTES:
            await self._wait_for_room()
        self._accept(frame, gap_bytes=gap_bytes)

    async def add(self, frame: OutFrame, *, gap_bytes: int = 0) -> None:
        """Take a frame of the runner's own, once the engine has no more; the same ones after every restart."""
        await self._give_rest()
        await self._wait_for_room()
        self._accept(frame, masked=True, gap_bytes=gap_bytes)

    async def close(self) -> None:
        """Return once everything and the closing chunk are stored."""
        await self._give_rest()
        self._closing = True
        self._filled.set()
        await self._closed.wait()

    async def send(self) -> None:
        """Store chunks until the closing one is stored; keeps on trying as long as the bus is away.

        Raises:
            FencedError: the attempt belongs to somebody else.
        """
        while not self._closed.is_set():
            while not (self._buffer or self._closing):
                self._filled.clear()
                await self._filled.wait()
            held, last = self._cut()
            self._room.set()
            await self._store_frames(held, last=last)
            if last:
                self._closed.set()
            else:
                await self._pause()

    def _may_pass(self, frame: OutFrame) -> bool:
        """False from the first frame on that would be too much; so it is the same one, however often all is read."""
        if self._left_bytes is None:
            return True
        if self._left_bytes >= 0:
            self._left_bytes -= max(1, len(frame.data))
        if self._left_bytes >= 0:
            return True
        if not self._refused_frames:
            logger.warning("more output than may be", extra={"action": "output_refused", "attempt": self._ref.name})
        self._refused_frames += 1
        self.refused_bytes += len(frame.data)
        self.tally.engine_bytes += len(frame.data)
        return False

    async def _say_lead(self) -> None:
        while self._seen < len(self._lead):
            await self._wait_for_room()
            self._accept(self._lead[self._seen])

    async def _give_rest(self) -> None:
        await self._say_lead()
        mask, self._mask = self._mask, None
        for held_back in mask.rest() if mask else ():
            await self._wait_for_room()
            self._accept(held_back, masked=True)

    async def _wait_for_room(self) -> None:
        while self._buffered_bytes >= BUFFER_BYTES:
            self._room.clear()
            await self._room.wait()

    def _accept(self, frame: OutFrame, *, masked: bool = False, gap_bytes: int = 0) -> None:
        """Take one frame: looked at, counted and held in one step, so that one read again is not looked at twice."""
        index = self._seen
        self._seen = index + 1
        if index >= len(self._lead) and not masked:
            self.tally.engine_bytes += len(frame.data)
            if self._mask:
                frame = self._mask.feed(frame, gap=gap_bytes > 0)
        counter, wanted = self.tally.counter, index >= self._stored_next and not self._closed.is_set()
        if wanted:
            self._buffer.append(_Held(index, frame, gap_bytes, counter.complete, counter.open))
        if gap_bytes:
            self.tally.gap(frame.stream)
        self.tally.add(index, frame)
        if wanted:
            self._buffered_bytes += len(frame.data) + _FRAME_COST_BYTES
            if len(self._buffer) == 1 or self._buffered_bytes >= CHUNK_BYTES:
                self._filled.set()

    async def _pause(self) -> None:
        """Let frames gather, unless there is a chunk full of them or the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause_s):
                while self._buffered_bytes < CHUNK_BYTES and not self._closing:
                    self._filled.clear()
                    await self._filled.wait()

    def _cut(self) -> tuple[list[_Held], bool]:
        """Take a chunk's worth out of the buffer, a gap at its beginning only; True with it when nothing follows."""
        buffer, size = self._buffer, 0
        taken: list[_Held] = []
        while buffer:
            one = buffer[0]
            cost = len(one.frame.data) + _FRAME_COST_BYTES
            if taken and (one.gap_bytes or size + cost > CHUNK_BYTES):
                break
            size += cost
            taken.append(buffer.popleft())
        self._buffered_bytes -= size
        return taken, self._closing and not buffer

    def _chunk(self, held: list[_Held], *, last: bool) -> Chunk:
        if not held:
            counter = self.tally.counter
            # Where the engine has forgotten what is stored, nobody has counted it.
            line = counter.complete if self._seen >= self._stored_next else None
            return Chunk(first=max(self._stored_next, self._seen), frames=(), last=last, line=line, open=counter.open)
        begin = held[0]
        return Chunk(
            first=begin.nth,
            frames=tuple(one.frame for one in held),
            last=last,
            gap_bytes=begin.gap_bytes,
            gap_stream=begin.frame.stream if begin.gap_bytes else None,
            line=begin.line,
            open=begin.open,
        )

    async def _store_frames(self, held: list[_Held], *, last: bool) -> None:
        while True:
            chunk = self._chunk(held, last=last)
            try:
                self._seq = await self._store.append(self._ref, chunk, after_seq=self._seq)
                self._stored_next = chunk.next
            except ConcurrencyError:
                stored = await self._read_back()
                if stored is not None and stored.last:
                    self._closed.set()
                    return
                held = [one for one in held if one.nth >= self._stored_next]
                if not held and not last:
                    return
            except InfrastructureError as exc:
                logger.warning("output waits: %s", exc, extra={"action": "output_waits"})
                await asyncio.sleep(self._retry_after_s)
            else:
                return

    async def _read_back(self) -> Chunk | None:
        """Where the stored output ends now; None when nothing is stored, or by nobody who may."""
        while True:
            try:
                return await self._look()
            except InfrastructureError:
                await asyncio.sleep(self._retry_after_s)

    async def _look(self) -> Chunk | None:
        """See where the output ends, and the newest chunk of those who had a right to store one.

        The end comes first. Whoever stored what is there has become a holder before that, so it is among those who are
        asked for now; and whoever stores something later is noticed by the next chunk.
        """
        end = await self._store.end(self._ref)
        newest = await self._store.newest(self._ref, await self._holders()) if end else None
        self._seq = max(end, newest.seq) if newest else end
        if newest is None:
            return None
        self._stored_next = max(self._stored_next, newest.chunk.next)
        return newest.chunk

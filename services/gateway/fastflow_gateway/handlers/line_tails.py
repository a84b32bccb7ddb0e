"""What a run writes, for everybody who follows it: read, put together and encoded once."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from fastflow_events.service.waiting import is_set_within

from fastflow_gateway.core.lines import START, LineFold, LogPosition, after
from fastflow_gateway.core.live.frames import Frame, Place
from fastflow_gateway.core.live.of_runs import frame_of_end, frames_of_lines, frames_of_parts
from fastflow_gateway.core.live.pacing import POLL_S, Pace
from fastflow_gateway.core.views.runs import OVER
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.logs import begin
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.handlers.writers import Writers

_UNFINISHED = 2
"""So many lines at most may end with the run, one per stream."""


class LineSource:
    """The lines of one run, as `tails.Source`."""

    def __init__(self, deps: Deps, run_id: str) -> None:
        self._deps, self._run_id = deps, run_id
        self._writers = Writers(deps.log, run_id)
        self._fold, self._seq = LineFold(), 0
        self._floor = START
        self._end: Frame | None = None

    async def begin(self) -> Place:
        """Begin at the newest chunk; at the first one where that is not far."""
        attempt = (await find_run(self._deps, self._run_id)).attempt
        newest = (
            await self._deps.output.last(self._run_id, attempt, await self._writers.of(attempt)) if attempt else None
        )
        if newest is not None and newest.chunk.line is not None:
            place = LogPosition(attempt, newest.chunk.line)
            self._fold, self._seq = await begin(self._deps.output, self._run_id, self._writers, place)
            self._floor = place if self._seq else START
        return self._floor

    async def news(self, bell: asyncio.Event) -> AsyncIterator[Sequence[Frame]]:
        """Yield everything new on each bell, a moment after what came before, and at once when the run changes.

        A run's output is stored completely before the fact that ends its attempt, so what is read after the end was
        seen is all there is.
        """
        changed, pace, clock = asyncio.Event(), Pace(), asyncio.get_running_loop().time
        listen = self._deps.changes.listen
        async with self._deps.output.listen(self._run_id, bell):
            with listen(self._run_id, bell), listen(self._run_id, changed):
                while True:
                    bell.clear()
                    changed.clear()
                    row = await find_run(self._deps, self._run_id)
                    async for frames in self._read():
                        pace.told(clock())
                        yield frames
                    if row.status in OVER:
                        yield frames_of_lines(after(self._fold.close(), self._floor))
                        self._end = frame_of_end(row)
                        yield [self._end]
                        return
                    wait_s = POLL_S
                    if self._fold.has_begun:
                        wait_s = pace.parts_in_s(clock()) or POLL_S
                        if wait_s == POLL_S and (parts := frames_of_parts(self._fold.parts())):
                            pace.told(clock(), parts=True)
                            yield parts
                    await is_set_within(bell, wait_s)
                    if rest_s := pace.rest_s(clock()):
                        await is_set_within(changed, rest_s)

    async def _read(self) -> AsyncIterator[Sequence[Frame]]:
        async for chunks in self._deps.output.read(self._run_id, after_seq=self._seq):
            self._seq = chunks[-1].seq
            theirs = await self._writers.only(chunks)
            fresh = [entry for chunk in theirs for entry in self._fold.feed(chunk.attempt, chunk.chunk)]
            if frames := frames_of_lines(after(fresh, self._floor)):
                yield frames

    def unfinished(self) -> Sequence[Frame]:
        """What the others have been told of lines that have not ended, or how the run did."""
        return [self._end] if self._end else frames_of_parts(self._fold.told())

    async def stored(self, after_place: Place) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        """Yield the lines behind a place, put together for one reader alone."""
        place = LogPosition(*after_place)
        fold, seq = await begin(self._deps.output, self._run_id, self._writers, place)
        async for chunks in self._deps.output.read(self._run_id, after_seq=seq):
            theirs = await self._writers.only(chunks)
            fresh = [entry for chunk in theirs for entry in fold.feed(chunk.attempt, chunk.chunk)]
            if left := after(fresh, place):
                place = left[-1][0]
            yield frames_of_lines(left), place

    async def holds(self, place: Place) -> bool:
        """Whether the newest chunk, or what ends with it, comes so far; what is lost behind it is told as a gap."""
        attempt, n = place[:2]
        if place <= self._floor or not attempt:
            return True
        newest = await self._deps.output.last(self._run_id, attempt, await self._writers.of(attempt))
        if newest is None:
            return False
        if newest.chunk.line is None:  # of an older release: nobody knows without reading everything
            return True
        fold = LineFold()
        fold.begin_at(attempt, newest.chunk)
        entries = fold.feed(attempt, newest.chunk)
        return n <= (entries[-1][0].n if entries else newest.chunk.line) + _UNFINISHED

    def anew(self, newest: Place) -> Place:
        """From the first line on."""
        return START

"""What a run uses, for everybody who follows it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
from fastflow_events.service.waiting import is_set_within

from fastflow_gateway.core.live.frames import Frame, Place
from fastflow_gateway.core.live.of_runs import frame_of_end
from fastflow_gateway.core.live.pacing import POLL_S
from fastflow_gateway.core.responses.samples import show_sample
from fastflow_gateway.core.views.runs import OVER
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.runs import find_run
from fastflow_gateway.handlers.writers import Writers

BATCH = 1000


class SampleSource:
    """The samples of one run, as `tails.Source`; they come about once a second, and nothing rings for them."""

    def __init__(self, deps: Deps, run_id: str, first: Place) -> None:
        self._deps, self._run_id = deps, run_id
        self._writers = Writers(deps.log, run_id)
        self._first, self._seq = first, 0
        self._end: Frame | None = None

    async def begin(self) -> Place:
        """Begin where the first reader does, if there is such a place."""
        self._seq = self._first[0] if await self.holds(self._first) else 0
        return (self._seq,)

    async def news(self, bell: asyncio.Event) -> AsyncIterator[Sequence[Frame]]:
        """Yield them once a second, and what is left when the run is over."""
        with self._deps.changes.listen(self._run_id, bell):
            while True:
                bell.clear()
                row = await find_run(self._deps, self._run_id)
                async for frames, place in self.stored((self._seq,)):
                    self._seq = place[0]
                    if frames:
                        yield frames
                if row.status in OVER:
                    self._end = frame_of_end(row)
                    yield [self._end]
                    return
                await is_set_within(bell, POLL_S)

    def unfinished(self) -> Sequence[Frame]:
        """How the run ended, if it has."""
        return [self._end] if self._end else []

    async def stored(self, after: Place) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        """Yield what is stored behind a position."""
        [seq], more = after, True
        while more:
            found = await self._deps.samples.read(self._run_id, after_seq=seq, limit=BATCH)
            more = len(found) == BATCH
            if found:
                seq = found[-1].seq
                theirs = await self._writers.only(found)
                frames = [Frame((one.seq,), "sample", msgspec.json.encode(show_sample(one))) for one in theirs]
                yield frames, (seq,)

    async def holds(self, place: Place) -> bool:
        """Whether there is one at this position or behind it; what is not kept any more misses nobody."""
        [seq] = place
        return seq == 0 or bool(await self._deps.samples.read(self._run_id, after_seq=seq - 1, limit=1))

    def anew(self, newest: Place) -> Place:
        """From the first one on."""
        return (0,)

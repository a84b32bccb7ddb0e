"""How the cells of a run's notebook end, for everybody who follows it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
from fastflow_events.service.waiting import is_set_within

from fastflow_gateway.core.live.frames import Frame, Place
from fastflow_gateway.core.live.of_runs import frame_of_end
from fastflow_gateway.core.live.pacing import POLL_S, Pace
from fastflow_gateway.core.views.runs import OVER
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.cells import cells_of_run
from fastflow_gateway.handlers.runs import find_run


class CellSource:
    """The cells of one run, as `tails.Source`; a place is how many have ended."""

    def __init__(self, deps: Deps, run_id: str) -> None:
        self._deps, self._run_id = deps, run_id
        self._end: Frame | None = None

    async def begin(self) -> Place:
        """Begin with the first one."""
        return (0,)

    async def news(self, bell: asyncio.Event) -> AsyncIterator[Sequence[Frame]]:
        """Yield them when facts of the run have come."""
        seen, pace, clock = 0, Pace(), asyncio.get_running_loop().time
        bell.set()
        with self._deps.changes.listen(self._run_id, bell):
            while True:
                has_rung = bell.is_set()
                bell.clear()
                row = await find_run(self._deps, self._run_id)
                if has_rung and (frames := (await self._ended())[seen:]):
                    seen += len(frames)
                    pace.told(clock())
                    yield frames
                if row.status in OVER:
                    self._end = frame_of_end(row)
                    yield [self._end]
                    return
                await is_set_within(bell, POLL_S)
                await asyncio.sleep(pace.rest_s(clock()))

    async def _ended(self) -> list[Frame]:
        cells = await cells_of_run(self._deps.log, self._run_id)
        return [Frame((number,), "cell", msgspec.json.encode(cell)) for number, cell in enumerate(cells, 1)]

    def unfinished(self) -> Sequence[Frame]:
        """How the run ended, if it has."""
        return [self._end] if self._end else []

    async def stored(self, after: Place) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        """Yield those behind a place."""
        if frames := (await self._ended())[after[0] :]:
            yield frames, (after[0] + len(frames),)

    async def holds(self, place: Place) -> bool:
        """Whether so many have ended."""
        return place[0] <= len(await self._ended())

    def anew(self, newest: Place) -> Place:
        """From the first one on."""
        return (0,)

"""How the cells of a run's notebook end, for everybody who follows it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
from fastflow_events.aggregates.run.events import RunCellFinished
from fastflow_events.service.waiting import is_set_within

from fastflow_gateway.core.live.frames import Frame, Place
from fastflow_gateway.core.live.of_runs import frame_of_end
from fastflow_gateway.core.live.pacing import POLL_S, Pace
from fastflow_gateway.core.views.runs import OVER
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.cells import cells_of_run
from fastflow_gateway.handlers.runs import find_run


class CellSource:
    """The cells of one run that have ended, as `tails.Source`; a place is the position of the fact that says so."""

    def __init__(self, deps: Deps, run_id: str) -> None:
        self._deps, self._run_id = deps, run_id
        self._end: Frame | None = None

    async def begin(self) -> Place:
        """Begin with the first one."""
        return (0,)

    async def news(self, bell: asyncio.Event) -> AsyncIterator[Sequence[Frame]]:
        """Yield them when facts of the run have come."""
        seen: Place = (0,)
        pace, clock = Pace(), asyncio.get_running_loop().time
        bell.set()
        with self._deps.changes.listen(self._run_id, bell):
            while True:
                has_rung = bell.is_set()
                bell.clear()
                row = await find_run(self._deps, self._run_id)
                if has_rung:
                    async for frames, place in self.stored(seen):
                        seen = place
                        pace.told(clock())
                        yield frames
                if row.status in OVER:
                    self._end = frame_of_end(row)
                    yield [self._end]
                    return
                await is_set_within(bell, POLL_S)
                await asyncio.sleep(pace.rest_s(clock()))

    def unfinished(self) -> Sequence[Frame]:
        """How the run ended, if it has."""
        return [self._end] if self._end else []

    async def stored(self, after: Place) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        """Yield those behind a place."""
        facts = [(place, fact) for place, fact in await self._ended() if place > after]
        if facts:
            cells = {(cell.attempt, cell.cell): cell for cell in await cells_of_run(self._deps, self._run_id)}
            shown = [(place, cells.get((fact.attempt, fact.cell))) for place, fact in facts]
            yield [Frame(place, "cell", msgspec.json.encode(cell)) for place, cell in shown if cell], facts[-1][0]

    async def holds(self, place: Place) -> bool:
        """Whether one has ended there, or later."""
        return place <= max((found for found, _ in await self._ended()), default=(0,))

    def anew(self, newest: Place) -> Place:
        """From the first one on."""
        return (0,)

    async def _ended(self) -> list[tuple[Place, RunCellFinished]]:
        history = await self._deps.log.load("run", self._run_id)
        return [((one.seq,), one.fact) for one in history.recorded if isinstance(one.fact, RunCellFinished)]

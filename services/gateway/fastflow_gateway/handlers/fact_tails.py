"""Every fact, for everybody who follows the log: read, decoded and encoded once."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
from fastflow_events import subjects
from fastflow_events.log import EventLog
from fastflow_events.recorded import Recorded

from fastflow_gateway.core.live.frames import Frame, Place, events_of
from fastflow_gateway.core.live.pacing import Pace
from fastflow_gateway.core.responses.facts import show_fact
from fastflow_gateway.handlers.audit import Filter

PAGE = 500
FULL = 1000
"""A batch of the log that is so long has more behind it."""
_json = msgspec.json.Encoder()


class FactSource:
    """The whole log, as `tails.Source`."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._seq = 0

    async def begin(self) -> Place:
        """Begin at the end."""
        self._seq = await self._log.last_seq()
        return (self._seq,)

    async def news(self, bell: asyncio.Event) -> AsyncIterator[Sequence[Frame]]:
        """Yield them as they come; what comes within a moment, together."""
        pace, clock = Pace(), asyncio.get_running_loop().time
        async for batch in self._log.follow(subjects.EVENTS, after_seq=self._seq):
            pace.told(clock())
            yield [_frame(recorded) for recorded in batch]
            if len(batch) < FULL:
                await asyncio.sleep(pace.rest_s(clock()))

    def unfinished(self) -> Sequence[Frame]:
        """Nothing is."""
        return []

    def stored(self, after: Place) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        """Yield all that are stored behind a position."""
        return self.stored_on(subjects.EVENTS, after)

    async def stored_on(self, subject: str, after: Place) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        """Yield those on one subject; the place reached is behind all others that were stored when this began."""
        end = await self._log.last_seq()
        frames: list[Frame] = []
        async for recorded in self._log.read(subject, after_seq=after[0]):
            frames.append(_frame(recorded))
            if len(frames) == PAGE:
                yield frames, (recorded.seq,)
                frames = []
        yield frames, (max(end, *(frame.place[0] for frame in frames if frame.place)) if frames else end,)

    async def holds(self, place: Place) -> bool:
        """Whether the log comes so far, and still has what follows."""
        [seq] = place
        if seq == 0:
            return True
        last = await self._log.last_seq()
        if seq >= last:
            return seq == last
        async for recorded in self._log.read(subjects.EVENTS, after_seq=seq, limit=1):
            return recorded.seq == seq + 1
        return False

    def anew(self, newest: Place) -> Place:
        """From now on."""
        return newest


def _frame(recorded: Recorded) -> Frame:
    about = (recorded.aggregate, recorded.id, recorded.wire_type.rsplit(".", 1)[0])
    return Frame((recorded.seq,), "fact", _json.encode(show_fact(recorded)), about)


def shown_of(wanted: Filter, frames: Sequence[Frame]) -> bytes:
    """Only those facts that are wanted; what is no fact is for everybody."""
    return events_of([frame for frame in frames if not frame.about or _is_wanted(wanted, *frame.about)])


def _is_wanted(wanted: Filter, aggregate: str, id: str, type: str) -> bool:
    return (
        wanted.aggregate in (None, aggregate)
        and wanted.id in (None, id)
        and (wanted.type is None or wanted.type == type or wanted.type.rsplit(".", 1)[0] == type)
    )

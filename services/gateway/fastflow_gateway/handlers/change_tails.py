"""What facts have changed in the rows, for everybody who follows it: read and encoded once, after it is committed."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import msgspec
from fastflow_events import subjects
from fastflow_events.recorded import Recorded

from fastflow_gateway.core.live.frames import Frame, Place
from fastflow_gateway.core.live.pacing import POLL_S, Pace
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.run_lists import shown

FULL = 1000
"""A batch of the log that is so long has more behind it."""
RUNS = 100
"""So many runs are read and told at once."""
MOST_BEHIND = 10_000
"""Whoever missed more facts reads lists again, which is less."""
_json = msgspec.json.Encoder()


class ChangeSource:
    """Rows that facts have changed, as `tails.Source`.

    Each group of facts is told as what it has changed, and a frame `seen` at its position. Whoever was told a part of a
    group is, when he comes back, told all of it.
    """

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._seq = 0

    async def begin(self) -> Place:
        """Begin with what the rows do not have yet."""
        self._seq = self._deps.changes.seq
        return (self._seq,)

    async def news(self, bell: asyncio.Event) -> AsyncIterator[Sequence[Frame]]:
        """Yield what changes once it is committed; what comes within a moment, together."""
        pace, clock = Pace(), asyncio.get_running_loop().time
        async for batch in self._deps.log.follow(subjects.EVENTS, after_seq=self._seq):
            while not await self._deps.changes.reached(batch[-1].seq, within_s=POLL_S):
                pass
            pace.told(clock())
            for group in groups_of(batch):
                yield await self._changed(group)
            if len(batch) < FULL:
                await asyncio.sleep(pace.rest_s(clock()))

    def unfinished(self) -> Sequence[Frame]:
        """Nothing is."""
        return []

    async def stored(self, after: Place) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        """Yield what the facts behind a position have changed, as it is now."""
        batch: list[Recorded] = []
        end = self._deps.changes.seq
        async for recorded in self._deps.log.read(subjects.EVENTS, after_seq=after[0]):
            if recorded.seq > end:
                break
            batch.append(recorded)
            if len(batch) == FULL:
                for group in groups_of(batch):
                    yield await self._changed(group), (group[-1].seq,)
                batch = []
        for group in groups_of(batch):
            yield await self._changed(group), (group[-1].seq,)
        yield [], (end,)

    async def holds(self, place: Place) -> bool:
        """Whether the log comes so far, and has not gone on for too long since."""
        last = max(await self._deps.log.last_seq(), self._deps.changes.seq)
        return last - MOST_BEHIND <= place[0] <= last

    def anew(self, newest: Place) -> Place:
        """From now on."""
        return newest

    async def _changed(self, group: Sequence[Recorded]) -> list[Frame]:
        deps, before = self._deps, group[0].seq - 1
        ids = dict.fromkeys(recorded.id for recorded in group if recorded.aggregate == "run")
        rows = [row for id in ids if (row := await deps.rows.run(id)) is not None]
        changed: list[tuple[str, str, object]] = [("run", run.pipeline, run) for run in await shown(deps, rows)]
        named = dict.fromkeys((one.aggregate, one.id) for one in group if one.aggregate != "run")
        frames = [
            Frame((before, number), kind, _json.encode(what), (name,))
            for number, (kind, name, what) in enumerate([*changed, *((kind, id, id) for kind, id in named)], 1)
        ]
        return [*frames, Frame((group[-1].seq,), "seen", b"")]


def groups_of(batch: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
    """Neighbouring facts about so few runs and others that they may be told at once."""
    group: list[Recorded] = []
    about: set[tuple[str, str]] = set()
    for recorded in batch:
        about.add((recorded.aggregate, recorded.id))
        if len(about) > RUNS:
            yield group
            group, about = [], {(recorded.aggregate, recorded.id)}
        group.append(recorded)
    if group:
        yield group

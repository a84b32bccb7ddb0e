"""A runner that slept, and whose attempt another goes on with meanwhile, stores nothing more of its output."""

import asyncio
from collections.abc import Collection, Sequence
from functools import partial

import pytest
from fastflow_events.errors import ConcurrencyError, FencedError
from fastflow_events.output import Chunk, OutFrame
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import NOON
from fastflow_events.testing.eventually import eventually
from fastflow_runner.bus import StoredChunk
from fastflow_runner.ports import AttemptRef
from fastflow_runner.shipping import Shipper

REF = AttemptRef(run_id="r1", attempt=1)


def frame(data: bytes) -> OutFrame:
    return OutFrame(stream="stdout", at=NOON, data=data)


class SharedStore:
    """The output of an attempt that an heir takes over from a sleeper; each runner writes under its own name."""

    def __init__(self, frames: Sequence[OutFrame]) -> None:
        self.frames = list(frames)
        self.stored: list[tuple[str, Chunk]] = []
        self.heard_of = ["sleeper"]
        """Who has held the attempt, as the log says."""
        self.at = ""
        """What the sleeper has just done when the heir comes in."""

    def holds(self, chunks: int) -> bool:
        """Whether there are so many."""
        return len(self.stored) >= chunks

    def take_over(self, at: str) -> None:
        """The heir adopts the attempt and stores what follows, once the time has come."""
        if at != self.at:
            return
        self.at = ""
        self.heard_of.append("heir")
        begin = self.stored[-1][1].next if self.stored else 0
        self.stored.append(("heir", Chunk(first=begin, frames=tuple(self.frames[begin:]))))

    async def holders(self) -> Collection[str]:
        known = list(self.heard_of)
        self.take_over("asked who holds it")
        if known[-1] != "sleeper":
            raise FencedError("somebody else holds it")
        return known

    async def end(self, ref: AttemptRef) -> int:
        found = len(self.stored)
        self.take_over("asked for the end")
        return found

    async def newest(self, ref: AttemptRef, holders: Collection[str]) -> StoredChunk | None:
        theirs = [(n, chunk) for n, (who, chunk) in enumerate(self.stored, start=1) if who in holders]
        self.take_over("asked for the newest")
        return StoredChunk(seq=theirs[-1][0], chunk=theirs[-1][1]) if theirs else None

    async def append(self, ref: AttemptRef, chunk: Chunk, *, after_seq: int) -> int:
        self.take_over("about to store")
        if after_seq != len(self.stored):
            raise ConcurrencyError("moved on")
        self.stored.append(("sleeper", chunk))
        return len(self.stored)


@pytest.mark.parametrize("step", ["about to store", "asked for the end", "asked who holds it", "asked for the newest"])
@pytest.mark.parametrize("stored_before", [0, 1, 3])
async def test_a_runner_that_slept_stores_nothing_behind_what_its_heir_has_stored(
    step: str, stored_before: int
) -> None:
    """Somebody who has no right to has written, too, so that the sleeper looks back even before there is an heir."""
    frames = [frame(f"{n}\n".encode()) for n in range(6)]
    store = SharedStore(frames)
    shipper = Shipper(store, REF, holders=store.holders)

    async def sleeper() -> None:
        async with background(shipper.send()):
            for nth, one in enumerate(frames):
                if nth == stored_before:
                    store.at = step
                    store.stored.append(("thief", Chunk(first=0, frames=(frame(b"lies\n"),) * stored_before)))
                await shipper.put(one)
                await eventually(partial(store.holds, min(nth, stored_before) + 1))
            await shipper.close()

    with pytest.raises(FencedError):
        await asyncio.wait_for(sleeper(), 20)
    theirs = [chunk for who, chunk in store.stored if who != "thief"]
    assert [(one.first, one.next) for one in theirs] == [
        *((n, n + 1) for n in range(stored_before)),
        (stored_before, 6),
    ]

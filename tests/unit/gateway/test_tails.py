"""Many follow one stream: each is told everything once and in order, however late he comes and however slow he is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack

import pytest
from fastflow_events.errors import InfrastructureError
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.core.live.frames import Frame, Place, events_of, id_of
from fastflow_gateway.core.live.pacing import EVERY_S, PARTS_EVERY_S, Pace
from fastflow_gateway.core.live.ring import BATCHES, Ring
from fastflow_gateway.tails.kept import Tails
from fastflow_gateway.tails.reader import RESET, Reader
from hypothesis import given
from hypothesis import strategies as st


def frame(n: int, size: int = 1) -> Frame:
    return Frame((n,), "number", b"1" * size)


class Numbers:
    """A stream of numbers that somebody counts up."""

    def __init__(self) -> None:
        self.count = 0
        self.begun = 0
        self.looks_of_one = 0
        self.over = self.broken = False
        self._bell = asyncio.Event()

    def grow(self, to: int, *, over: bool = False) -> None:
        self.count, self.over = to, over
        self._bell.set()

    def fail(self) -> None:
        self.broken = True
        self._bell.set()

    async def begin(self) -> Place:
        self.begun += 1
        self._from = self.count
        return (self.count,)

    async def news(self, bell: asyncio.Event) -> AsyncIterator[Sequence[Frame]]:
        self._bell, seen = bell, self._from
        while True:
            bell.clear()
            if self.broken:
                raise InfrastructureError("the bus is away")
            over, fresh = self.over, [frame(n) for n in range(seen + 1, self.count + 1)]
            seen += len(fresh)
            if fresh:
                yield fresh
            if over:
                yield [Frame(None, "end", b"{}")]
                return
            await bell.wait()

    def unfinished(self) -> Sequence[Frame]:
        return [Frame(None, "end", b"{}")] if self.over else []

    async def stored(self, after: Place) -> AsyncIterator[tuple[Sequence[Frame], Place]]:
        self.looks_of_one += 1
        for first in range(after[0], self.count, 100):
            page = [frame(n) for n in range(first + 1, min(first + 100, self.count) + 1)]
            yield page, (first + len(page),)

    async def holds(self, place: Place) -> bool:
        return place[0] <= self.count

    def anew(self, newest: Place) -> Place:
        return newest


def places(frames: Sequence[Frame]) -> list[int]:
    return [one.place[0] if one.place else 0 for one in frames]


class Following:
    """Reads until the end; at `pause_at` it reads nothing until it is told to go on."""

    def __init__(self, tails: Tails, numbers: Numbers, place: int, *, pause_at: int = -1) -> None:
        self.seen: list[int] = []
        self.paused, self.go_on = asyncio.Event(), asyncio.Event()
        self._woken = asyncio.Event()
        self._pause_at = pause_at
        self._reading = tails.reading("numbers", lambda: numbers, (place,), self._woken.set)
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        with self._reading as reader:
            while not reader.is_at_end:
                if 0 <= self._pause_at <= len(self.seen):
                    self._pause_at = -1
                    self.paused.set()
                    await self.go_on.wait()
                await self._look(reader)

    async def _look(self, reader: Reader) -> None:
        if reader.is_behind:
            async for frames, _ in reader.catch_up():
                self.seen += places(frames)
        elif found := reader.take(places):
            self.seen += [place for some in found for place in some]
        else:
            await self._woken.wait()
            self._woken.clear()


async def test_everybody_is_told_everything_once_whenever_he_comes_and_however_slow_he_is() -> None:
    tails, numbers = Tails(), Numbers()
    numbers.count = 5000
    early = Following(tails, numbers, 0)
    await eventually(lambda: len(early.seen) == 5000)
    others = [Following(tails, numbers, place) for place in (0, 4999, 5000)]
    slow = Following(tails, numbers, 5000, pause_at=10)
    for to in range(5000, 12_000, 37):
        numbers.grow(to)
        await asyncio.sleep(0)
    killed = others.pop()
    killed.task.cancel()
    numbers.grow(12_000, over=True)
    await asyncio.gather(early.task, *(other.task for other in others))
    slow.go_on.set()
    await slow.task
    late = Following(tails, numbers, 3)
    await late.task
    assert early.seen == [*range(1, 12_001), 0]
    assert [other.seen for other in others] == [[*range(1, 12_001), 0], [*range(5000, 12_001), 0]]
    assert slow.seen == [*range(5001, 12_001), 0]
    assert late.seen == [*range(4, 12_001), 0]
    assert numbers.begun == 1
    await tails.close()


async def test_who_comes_back_with_a_place_that_is_none_is_told_so_and_goes_on() -> None:
    tails, numbers = Tails(), Numbers()
    numbers.count = 7
    lost = Following(tails, numbers, 99)
    await eventually(lambda: lost.seen == [0])
    numbers.grow(9, over=True)
    await lost.task
    assert lost.seen == [0, 8, 9, 0]
    assert RESET.event == "reset"
    await tails.close()


async def test_a_tail_is_let_go_a_while_after_its_last_reader_and_made_anew_for_the_next() -> None:
    tails, numbers = Tails(linger_s=0.01), Numbers()
    with tails.reading("numbers", lambda: numbers, (0,), lambda: None):
        await eventually(lambda: numbers.begun == 1)
    await eventually(lambda: len(tails) == 0)
    with tails.reading("numbers", lambda: numbers, (0,), lambda: None):
        await eventually(lambda: numbers.begun == 2)
    await tails.close()


async def test_readers_of_one_stream_share_what_looks_for_it() -> None:
    tails, numbers = Tails(), Numbers()
    with ExitStack() as stack:
        for _ in range(500):
            stack.enter_context(tails.reading("numbers", lambda: numbers, (0,), lambda: None))
        await eventually(lambda: numbers.begun > 0)
        assert (len(tails), numbers.begun, numbers.looks_of_one) == (1, 1, 0)
    await tails.close()


async def test_when_the_world_fails_all_are_told_and_the_next_one_begins_anew() -> None:
    tails, numbers = Tails(), Numbers()
    first = Following(tails, numbers, 0)
    numbers.grow(3)
    await eventually(lambda: first.seen == [1, 2, 3])
    numbers.fail()
    with pytest.raises(InfrastructureError):
        await first.task
    numbers.broken = False
    second = Following(tails, numbers, 3)
    await eventually(lambda: numbers.begun == 2)
    numbers.grow(4, over=True)
    await second.task
    assert second.seen == [4, 0]
    await tails.close()


@given(st.lists(st.lists(st.integers(1, 400), max_size=60), max_size=40))
def test_a_ring_keeps_the_newest_and_never_more_than_it_may(told: list[list[int]]) -> None:
    ring, n = Ring((0,), max_frames=50, max_bytes=4000), 0
    for sizes in told:
        frames = [frame(n + index, size) for index, size in enumerate(sizes, 1)]
        n += len(frames)
        for piece in ring.cut(frames):
            ring.add(piece)
            assert ring.frames <= 50 or ring.next - ring.first == 1
            assert ring.bytes <= 4000 or ring.next - ring.first == 1
    assert ring.newest == (n,)
    assert places(ring.behind(ring.floor)) == [*range(ring.floor[0] + 1, n + 1)]
    assert places([one for batch in ring.since(0) for one in batch.frames]) == places(ring.behind(ring.floor))


@given(st.lists(st.integers(1, 3000), max_size=300))
def test_what_is_told_is_cut_into_pieces_that_are_small_beside_the_ring(sizes: list[int]) -> None:
    ring = Ring((0,), max_frames=80, max_bytes=8000)
    frames = [frame(n, size) for n, size in enumerate(sizes, 1)]
    pieces = list(ring.cut(frames))
    assert [one for piece in pieces for one in piece] == frames
    for piece in pieces:
        assert len(piece) == 1 or sum(one.size for one in piece) <= 8000 // BATCHES
        assert len(piece) <= 80 // BATCHES


def test_what_is_shown_alike_is_made_once_for_all() -> None:
    ring = Ring((0,))
    ring.add([frame(1), Frame(None, "partial", b"{}")])
    [batch] = ring.since(0)
    assert batch.shown(events_of) is batch.shown(events_of)
    assert batch.shown(events_of) == b"id: 1\nevent: number\ndata: 1\n\nevent: partial\ndata: {}\n\n"


def test_a_place_names_a_fact_a_line_or_a_gap() -> None:
    assert [id_of(place) for place in ((7,), (2, 10, 0), (2, 10, 1))] == [b"7", b"2.10", b"2.10.1"]


@given(st.floats(0, 1e6), st.floats(0, 10))
def test_one_looks_at_once_after_a_silence_and_else_a_few_times_a_second(at: float, later: float) -> None:
    pace = Pace()
    assert (pace.rest_s(at), pace.parts_in_s(at)) == (0, 0)
    pace.told(at, parts=True)
    rest, parts = pace.rest_s(at + later), pace.parts_in_s(at + later)
    assert 0 <= rest <= EVERY_S + 1e-6
    assert 0 <= parts <= PARTS_EVERY_S + 1e-6
    assert (rest == 0) == (at + later >= at + EVERY_S)

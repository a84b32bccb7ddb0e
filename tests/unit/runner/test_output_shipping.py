"""Output is stored once and in order, whatever the store does."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence

import pytest
from fastflow_events.errors import ConcurrencyError, InfrastructureError
from fastflow_events.output import Chunk, OutFrame
from fastflow_events.service.tasks import background
from fastflow_events.testing.builders import NOON
from fastflow_runner.bus import OutputStore, StoredChunk
from fastflow_runner.core.tally import Tally
from fastflow_runner.ports import AttemptRef
from fastflow_runner.shipping import BUFFER_BYTES, CHUNK_BYTES, Shipper

REF = AttemptRef(run_id="r1", attempt=1)


def frame(data: bytes, stream: str = "stdout") -> OutFrame:
    return OutFrame(stream=stream, at=NOON, data=data)  # type: ignore[arg-type]


class Store:
    """Output in a list; `moods` says what each append does: store, refuse, or store and keep silent."""

    def __init__(self, moods: Sequence[str] = ()) -> None:
        self.stored: list[Chunk] = []
        self.moods = list(moods)
        self.gate = asyncio.Event()
        self.gate.set()

    async def end(self, ref: AttemptRef) -> int:
        return len(self.stored)

    async def newest(self, ref: AttemptRef, holders: Collection[str]) -> StoredChunk | None:
        return StoredChunk(seq=len(self.stored), chunk=self.stored[-1]) if self.stored else None

    async def append(self, ref: AttemptRef, chunk: Chunk, *, after_seq: int) -> int:
        await self.gate.wait()
        mood = self.moods.pop(0) if self.moods else "store"
        if mood == "refuse":
            raise InfrastructureError("away")
        if after_seq != len(self.stored):
            raise ConcurrencyError("moved on")
        self.stored.append(chunk)
        if mood == "silent":
            raise InfrastructureError("no answer")
        return len(self.stored)

    def frames(self) -> list[OutFrame]:
        expected = 0
        found: list[OutFrame] = []
        for chunk in self.stored:
            assert chunk.first == expected
            expected = chunk.next
            found += chunk.frames
        return found


async def nobody_else() -> Collection[str]:
    return ["r1"]


def a_shipper(
    store: OutputStore,
    *,
    holders: Callable[[], Awaitable[Collection[str]]] = nobody_else,
    lead: Sequence[OutFrame] = (),
    most_bytes: int | None = None,
) -> Shipper:
    return Shipper(store, REF, holders=holders, lead=lead, most_bytes=most_bytes, pause_s=0.001, retry_after_s=0.001)


async def ship(shipper: Shipper, frames: Sequence[OutFrame]) -> None:
    async with background(shipper.send()):
        for one in frames:
            await shipper.put(one)
            await asyncio.sleep(0)
        await asyncio.wait_for(shipper.close(), 20)


async def test_all_frames_are_stored_and_the_last_chunk_says_so() -> None:
    store, frames = Store(), [frame(f"{n}\n".encode()) for n in range(50)]
    shipper = a_shipper(store)
    await ship(shipper, frames)
    assert store.frames() == frames
    assert [chunk.last for chunk in store.stored] == [False] * (len(store.stored) - 1) + [True]
    assert (shipper.tally.lines, shipper.tally.size_bytes) == (50, sum(len(f.data) for f in frames))


async def test_an_attempt_without_output_has_one_closing_chunk() -> None:
    store = Store()
    await ship(a_shipper(store), [])
    assert store.stored == [Chunk(first=0, frames=(), last=True, line=0)]


@pytest.mark.parametrize("seed", range(30))
async def test_refusals_and_lost_answers_neither_lose_nor_double_a_frame(seed: int) -> None:
    random_bytes = random.Random(seed)
    store = Store(random_bytes.choices(["store", "refuse", "silent"], k=60))
    frames = [frame(random_bytes.randbytes(random_bytes.randrange(1, 50_000))) for _ in range(80)]
    await ship(a_shipper(store), frames)
    assert store.frames() == frames


@pytest.mark.parametrize("seed", range(30))
async def test_a_second_process_goes_on_where_the_first_was_killed(seed: int) -> None:
    random_bytes = random.Random(seed)
    store, frames = Store(random_bytes.choices(["store", "silent"], k=40)), [frame(b"x" * n) for n in range(40)]
    lead = [frame(b"fast-flow: said first\n", "stderr")]
    for _ in range(4):
        shipper = a_shipper(store, lead=lead)
        await shipper.resume()
        sender = asyncio.create_task(shipper.send())
        for one in frames[: random_bytes.randrange(40)]:
            await shipper.put(one)
            await asyncio.sleep(0.0002 * random_bytes.randrange(5))
        sender.cancel()
    shipper = a_shipper(store, lead=lead)
    await shipper.resume()
    await ship(shipper, frames)
    assert store.frames() == lead + frames
    assert (shipper.tally.lines, shipper.skip) == (2, 40)


async def test_after_the_closing_chunk_everything_is_counted_and_nothing_stored() -> None:
    store = Store()
    await ship(a_shipper(store), [frame(b"a\n")])
    before = list(store.stored)
    shipper = a_shipper(store)
    await shipper.resume()
    await ship(shipper, [frame(b"a\n")])
    assert store.stored == before
    assert shipper.tally.lines == 1


async def test_chunks_that_another_process_stored_meanwhile_are_not_stored_again() -> None:
    store, frames = Store(), [frame(b"a"), frame(b"b"), frame(b"c")]
    store.stored.append(Chunk(first=0, frames=tuple(frames[:2])))
    await ship(a_shipper(store), frames)
    assert store.frames() == frames


async def test_a_store_that_is_away_stops_the_reader_instead_of_filling_memory() -> None:
    store = Store()
    store.gate.clear()
    shipper = a_shipper(store)
    taken = 0

    async def read() -> None:
        nonlocal taken
        for _ in range(1000):
            await shipper.put(frame(b"x" * 10_000))
            taken += 1

    sender, reader = asyncio.create_task(shipper.send()), asyncio.create_task(read())
    await asyncio.sleep(0.05)
    assert 0 < taken * 10_000 <= BUFFER_BYTES + CHUNK_BYTES + 20_000
    store.gate.set()
    await asyncio.wait_for(reader, 20)
    await asyncio.wait_for(shipper.close(), 20)
    await sender
    assert len(store.frames()) == 1000
    assert max(sum(len(f.data) for f in chunk.frames) for chunk in store.stored) <= CHUNK_BYTES


async def test_every_chunk_says_how_many_lines_came_before_it_and_which_are_unfinished() -> None:
    store = Store()
    pieces = [b"one\ntwo", b"!\n", b"three", b"\nfour\nfive"]
    await ship(a_shipper(store), [frame(data + bytes(CHUNK_BYTES)) for data in pieces])
    assert [(chunk.first, chunk.line, chunk.open) for chunk in store.stored if chunk.frames] == [
        (0, 0, ()),
        (1, 1, (("stdout", 0, CHUNK_BYTES + 3),)),
        (2, 2, (("stdout", 1, CHUNK_BYTES),)),
        (3, 2, (("stdout", 1, 2 * CHUNK_BYTES + 5),)),
    ]


async def test_a_gap_begins_a_chunk_and_ends_the_line_before_it() -> None:
    store = Store()
    shipper = a_shipper(store)
    async with background(shipper.send()):
        await shipper.put(frame(b"cut o"))
        await shipper.put(frame(b"untouched ", "stderr"))
        await shipper.put(frame(b""), gap_bytes=500)
        await shipper.put(frame(b"line\n"))
        await shipper.add(frame(b"fast-flow: said last\n", "stderr"))
        await asyncio.wait_for(shipper.close(), 20)
    [gap] = [chunk for chunk in store.stored if chunk.gap_bytes]
    assert (gap.first, gap.gap_bytes, gap.gap_stream, gap.line) == (2, 500, "stdout", 0)
    assert gap.open == (("stdout", 0, 5), ("stderr", 1, 10))
    assert len(store.frames()) == 5
    assert shipper.tally.lines == 3


def test_a_line_without_its_newline_is_a_line() -> None:
    tally = Tally()
    for index, one in enumerate((frame(b"a\nb"), frame(b"c"), frame(b"err", "stderr"), frame(b"\n\n"))):
        tally.add(index, one)
    assert (tally.lines, tally.size_bytes) == (4, 9)


@pytest.mark.parametrize("restarted", [False, True])
async def test_more_than_may_be_is_not_stored_whoever_wrote_it(restarted: bool) -> None:
    store = Store()
    lead = [frame(b"said before\n")]
    given = [frame(b"x" * 999 + b"\n") for _ in range(50)] + [frame(b"")] * 50
    shipper = a_shipper(store, lead=lead, most_bytes=10_500)
    async with background(shipper.send()):
        for each in given[:30]:
            await shipper.put(each)
        if not restarted:
            for each in given[30:]:
                await shipper.put(each)
            await shipper.close()
    if restarted:
        shipper = a_shipper(store, lead=lead, most_bytes=10_500)
        await shipper.resume()
        async with background(shipper.send()):
            for each in given:
                await shipper.put(each)
            assert shipper.skip == len(given)
            await shipper.close()
    assert store.frames() == lead + given[:10]
    assert shipper.refused_bytes == 40_000
    assert shipper.tally.engine_bytes == 50_000


async def test_frames_without_content_are_not_endless() -> None:
    store = Store()
    await ship(a_shipper(store, most_bytes=100), [frame(b"")] * 5000)
    assert len(store.frames()) == 100

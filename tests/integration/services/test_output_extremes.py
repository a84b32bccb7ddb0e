"""Output nobody would write by hand: no newline ever, no text at all, far too much of it."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunOutputTruncated
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.output import MAX_LINE_BYTES, Chunk
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.core.lines import Gap, Line, LineFold
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit
from nats.aio.client import Client

pytestmark = pytest.mark.nats

MB = 1_000_000
UNIT = b"0123456789abcdefghijklmnopqrstuvwxyz-"
ENDLESS = f"import os\nblock = {UNIT!r} * 20_000\nat = 0\nwhile at < 64_000_000:\n" + (
    f"    at += os.write(1, block[at % {len(UNIT)}:][:64_000_000 - at])\n"
)
ROOM_MB = 48
"""A few chunks on their way, and what Python keeps of them; all of it would be more."""


@pytest_asyncio.fixture
async def runner(nc: Client, nats_url: str, tmp_path: Path) -> AsyncIterator[LivingRunner]:
    runner = LivingRunner(tmp_path / "home", nats_url, executor="process")
    runner.start()
    yield runner
    runner.stop()


async def finished(log: JetStreamLog, run_id: str) -> RunAttemptFinished:
    [fact] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=120)
    assert isinstance(fact, RunAttemptFinished)
    assert fact.outcome == "succeeded"
    return fact


def lines_of(chunks: list[Chunk]) -> list[Line | Gap]:
    fold = LineFold()
    return [entry for chunk in chunks for _, entry in fold.feed(1, chunk)]


def repeated(start: int, size: int) -> bytes:
    at = start % len(UNIT)
    return (UNIT * (size // len(UNIT) + 2))[at : at + size]


async def test_64_mb_without_a_newline_pass_through_a_small_runner(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    await finished(jetstream_log, await submit(nc, jetstream_log, "print('warm')"))
    assert runner.process is not None
    status = Path(f"/proc/{runner.process.pid}/status")
    Path(f"/proc/{runner.process.pid}/clear_refs").write_text("5")  # proc(5): forget the peak
    run_id = await submit(nc, jetstream_log, ENDLESS, limits=Limits(output_bytes=100 * MB))
    before = memory_mb(status, "VmRSS")
    end = await finished(jetstream_log, run_id)
    assert memory_mb(status, "VmHWM") < before + ROOM_MB
    assert (end.output_bytes, end.output_lines) == (64 * MB, 64 * MB // MAX_LINE_BYTES + 1)
    entries = lines_of(await chunks_of(nc, run_id))
    assert all(isinstance(line, Line) and line.unterminated for line in entries)
    texts = [line.text.encode() for line in entries if isinstance(line, Line)]
    assert max(len(text) for text in texts) < 2 * MAX_LINE_BYTES
    assert b"".join(texts) == repeated(0, 64 * MB)


async def test_above_the_cap_the_two_ends_are_kept_and_a_gap_says_what_is_missing(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    run_id = await submit(nc, jetstream_log, ENDLESS, limits=Limits(output_bytes=MB))
    await finished(jetstream_log, run_id)
    chunks = await chunks_of(nc, run_id)
    [gap] = [entry for entry in lines_of(chunks) if isinstance(entry, Gap)]
    cut = next(n for n, chunk in enumerate(chunks) if chunk.gap_bytes)
    head = b"".join(frame.data for chunk in chunks[:cut] for frame in chunk.frames)
    tail = b"".join(frame.data for chunk in chunks[cut:] for frame in chunk.frames)
    assert 0 < len(tail) < len(head) < MB
    assert len(head) + gap.bytes + len(tail) == 64 * MB
    assert head == repeated(0, len(head))
    assert tail == repeated(64 * MB - len(tail), len(tail))
    assert await facts_of(jetstream_log, run_id, RunOutputTruncated)


async def test_garbage_on_both_streams_comes_back_byte_for_byte(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    script = (
        "import os, random\n"
        "def flood(fd, seed):\n"
        "    source = random.Random(seed)\n"
        "    for _ in range(40):\n"
        "        data = source.randbytes(100_000)\n"
        "        while data: data = data[os.write(fd, data):]\n"
        "flood(1, 1)\nflood(2, 2)\n"
    )
    run_id = await submit(nc, jetstream_log, script)
    end = await finished(jetstream_log, run_id)
    chunks = await chunks_of(nc, run_id)
    for seed, stream in ((1, "stdout"), (2, "stderr")):
        source = random.Random(seed)
        wrote = b"".join(source.randbytes(100_000) for _ in range(40))
        assert b"".join(f.data for chunk in chunks for f in chunk.frames if f.stream == stream) == wrote
    assert [line.n for line in lines_of(chunks) if isinstance(line, Line)] == list(range(1, end.output_lines + 1))


def memory_mb(status: Path, name: str) -> float:
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(name)) / 1000

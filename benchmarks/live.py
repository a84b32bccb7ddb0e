"""Many readers of one run, and of what changes: what each costs beside one, and is each told everything once?"""

import asyncio
import os
import resource
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from fastflow_events import subjects
from fastflow_events.nats.client import Connection
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.output import Chunk, OutFrame, encode_chunk
from fastflow_events.recorded import Position
from fastflow_events.service.settings import Settings
from fastflow_events.testing.builders import CAUSE, NOON, run_claimed, run_dispatched, run_requested, run_started
from fastflow_events.testing.nats_server import nats_server

from benchmarks.idle import cpu_s
from benchmarks.measure import CannotMeasureError, exactly, until
from benchmarks.results import Budget, Figure

READERS = (500, 2000)
PER_S, WATCH_S = 24, 10.0
WITHIN_S = 120.0
RUN = "r1"
LINES, CHANGES = f"/api/runs/{RUN}/logs/stream", "/api/live?changes"
MEMORY_KB = 50.0
"""A reader should cost no more."""


class Readers:
    """Connections that count what they are told."""

    def __init__(self, word: bytes) -> None:
        self.counts: list[int] = []
        self._word = word
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self, url: str, path: str, number: int) -> None:
        """That many more; each is followed once its first bytes are there."""
        place = urlsplit(url)
        for _ in range(number):
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head:
                raise CannotMeasureError(f"a reader was answered {head.decode()[:100]}")
            self._writers.append(writer)
            self.counts.append(0)
            self._tasks.append(asyncio.create_task(self._count(reader, len(self.counts) - 1)))

    async def open_one_that_never_reads(self, url: str, path: str) -> None:
        """It asks, and that is all."""
        place = urlsplit(url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=1)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self._writers.append(writer)
        reader.set_exception(CannotMeasureError("it never reads"))

    async def _count(self, reader: asyncio.StreamReader, index: int) -> None:
        rest = b""
        while piece := await reader.read(1 << 16):
            text = rest + piece
            self.counts[index] += text.count(self._word)
            rest = text[max(0, len(text) - len(self._word) + 1) :]

    async def told(self, number: int) -> bool:
        """Whether each was told as much."""
        return min(self.counts) >= number

    async def close(self) -> None:
        """All of them."""
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Gateway:
    """The process that is measured, and what happens meanwhile."""

    def __init__(self, url: str, pid: int, nc: Connection) -> None:
        self.url, self.pid = url, pid
        self._js = nc.jetstream()
        self._log = JetStreamLog(nc, source="/fastflow/benchmark/1")
        self._written = self._requested = 0

    async def begin(self) -> None:
        """Its run starts."""
        facts = (run_requested(), run_dispatched(), run_claimed(), run_started())
        await self._log.append(Position(aggregate="run", id=RUN), facts, cause=CAUSE)

    async def write(self) -> None:
        """One line."""
        chunk = Chunk(first=self._written, frames=(OutFrame("stdout", NOON, b"line %d\n" % self._written),))
        await self._js.publish(subjects.output(RUN, 1, "runner-1"), encode_chunk(chunk))
        self._written += 1

    async def change(self) -> None:
        """One run."""
        self._requested += 1
        position = Position(aggregate="run", id=f"other-{self._requested}")
        await self._log.append(position, [run_requested()], cause=CAUSE)

    @property
    def position(self) -> str:
        """The newest line."""
        return f"1.{self._written}" if self._written else ""

    def memory_kb(self) -> float:
        """What it holds."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return float(line.split()[1])
        raise CannotMeasureError("the system does not tell what a process holds")


async def measure() -> list[Figure]:
    """Processor time and memory of the gateway with many readers, beside one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="fastflow-bench-") as folder:
        async with gateway(Path(folder)) as found:
            await found.begin()
            await found.write()
            figures += await _figures(found, "one run", LINES, b"event: line\n", found.write)
            figures += await _figures(found, "what changes", CHANGES, b'"id":"other-', found.change)
    return figures


async def _figures(
    found: Gateway, what: str, path: str, word: bytes, happen: Callable[[], Awaitable[None]]
) -> Sequence[Figure]:
    await _used(found, path, word, 1, happen)  # warm
    one, _, _ = await _used(found, path, word, 1, happen)
    figures = []
    for number in READERS:
        used, memory_kb, counts = await _used(found, path, word, number, happen)
        name = f"{number} readers of {what}, {PER_S}/s for {WATCH_S:g} s"
        figures += [
            Figure(
                name=f"{name}: processor time",
                ours=exactly(used),
                bare=exactly(one),
                unit="s",
                against="one reader's",
                budget=None,
            ),
            Figure(
                name=f"{name}: told, once",
                ours=exactly(counts),
                bare=exactly(number * PER_S * WATCH_S),
                unit="",
                against="what happened, for each",
                budget=Budget(1.0, at_least=True),
            ),
            Figure(
                name=f"{name}: memory per reader",
                ours=exactly(memory_kb),
                bare=exactly(MEMORY_KB),
                unit="kB",
                against="what a reader may cost",
                budget=Budget(1.0),
            ),
        ]
    return figures


async def _used(
    found: Gateway, path: str, word: bytes, number: int, happen: Callable[[], Awaitable[None]]
) -> tuple[float, float, int]:
    """Processor seconds, kB per reader, and how often all together were told; one more reader reads nothing."""
    readers, before_kb = Readers(word), found.memory_kb()
    after = f"?cursor={found.position}" if path == LINES else ""
    try:
        await readers.open(found.url, path + after, number)
        if number > 1:
            await readers.open_one_that_never_reads(found.url, path + after)
        await asyncio.sleep(2.0)
        readers.counts = [0] * number
        began, worked, count = time.perf_counter(), cpu_s([found.pid]), int(PER_S * WATCH_S)
        for index in range(count):
            await asyncio.sleep(max(0.0, began + index / PER_S - time.perf_counter()))
            await happen()
        await until(lambda: readers.told(count), "telling everybody", within_s=WITHIN_S, every_s=0.05)
        used, memory_kb = cpu_s([found.pid]) - worked, (found.memory_kb() - before_kb) / number
        await asyncio.sleep(1.0)
        if max(readers.counts) > count:
            raise CannotMeasureError("a reader was told something twice")
        return used, max(memory_kb, 0.1), sum(readers.counts)
    finally:
        await readers.close()


@asynccontextmanager
async def gateway(folder: Path) -> AsyncIterator[Gateway]:
    """A gateway that listens, for as many as come."""
    with nats_server(folder / "nats") as url:
        async with connect(Settings(nats_url=url), "benchmark") as nc:
            await deploy(nc)
            address = folder / "address"
            kept = {name: value for name, value in os.environ.items() if not name.startswith("FASTFLOW_")}
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "fastflow_gateway"),
                env=kept
                | {
                    "FASTFLOW_NATS_URL": url,
                    "FASTFLOW_HOME": str(folder),
                    "FASTFLOW_PORT": "0",
                    "FASTFLOW_ADDRESS_FILE": str(address),
                    "FASTFLOW_LOG_LEVEL": "ERROR",
                    "FASTFLOW_STREAMS": "10000",
                    "FASTFLOW_STREAMS_PER_CLIENT": "0",
                },
                stdout=DEVNULL,
                stderr=DEVNULL,
            )

            async def listens() -> bool:
                return address.exists()

            try:
                await until(listens, "starting the gateway", within_s=30, every_s=0.05)
                yield Gateway(address.read_text().strip(), process.pid, nc)
            finally:
                process.terminate()
                await process.wait()

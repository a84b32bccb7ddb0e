"""Output that is too much of something: a gigabyte without a newline, lines faster than they can be read, garbage."""

import random
from base64 import b64decode
from collections.abc import AsyncIterator, Collection
from hashlib import sha256

import msgspec
from msgspec import Struct

from benchmarks import bars
from benchmarks.measure import CannotMeasureError, exactly
from benchmarks.memory import forget_peak, peak_mb, rss_mb
from benchmarks.results import Budget, Figure
from benchmarks.scripts import (
    ENDLESS,
    ENDLESS_BYTES,
    ENDLESS_UNIT,
    GARBAGE,
    GARBAGE_BYTES,
    GARBAGE_PIECE,
    GARBAGE_SEED,
    PACED,
    PACED_LINES,
    PACED_PER_S,
)
from benchmarks.system import System, system

ROOMY = {"FASTFLOW_DEFAULT_OUTPUT_BYTES": "2000000000"}
CAP = 50_000_000
CAPPED = {"FASTFLOW_DEFAULT_OUTPUT_BYTES": str(CAP)}
PROCESSES = ("runner", "gateway")
MEMORY = Budget(2)
ALL = Budget(1, at_least=True)


class Piece(Struct, frozen=True):
    """A line of output, or a gap in it."""

    after: int | None = None
    missing: int = msgspec.field(name="bytes", default=0)
    text: str = ""
    b64: str | None = None
    unterminated: bool = False

    @property
    def exact(self) -> bytes:
        """What the script wrote, newline included."""
        return (self.text.encode() if self.b64 is None else b64decode(self.b64)) + b"\n" * (not self.unterminated)


class Arrived(Struct):
    """What came of one run."""

    bytes: int = 0
    missing: int = 0
    gaps: int = 0


async def measure() -> list[Figure]:
    """Three scripts below the cap, one of them above it; whoever watches gets everything that is kept."""
    async with system(ROOMY) as ours:
        memory = Memory(ours)
        endless = await _endless(ours)
        lines, per_s = await _paced(ours)
        garbage = await _garbage(ours)
        updates = await bars.rows(ours)
        peaks = memory.figures()
    async with system(CAPPED) as ours:
        capped = await _endless(ours)
    if capped.bytes > CAP or capped.gaps != 1:
        raise CannotMeasureError(f"above the cap {capped.bytes} bytes and {capped.gaps} gaps arrived")
    kind = ours.executor
    return [
        _all(f"{ENDLESS_BYTES // 10**6} MB without a newline: bytes that arrived ({kind})", endless.bytes, "bytes"),
        _all(
            f"the same above a cap of {CAP // 10**6} MB: bytes that arrived, and that the one gap tells of ({kind})",
            capped.bytes + capped.missing,
            "bytes",
        ),
        _all(f"{PACED_PER_S} lines/s: lines that arrived, once and in order ({kind})", lines, "lines", PACED_LINES),
        Figure(
            name=f"{PACED_PER_S} lines/s: lines the script got rid of in a second ({kind})",
            ours=exactly(per_s),
            bare=exactly(PACED_PER_S),
            unit="lines/s",
            against="lines it wants to write",
            budget=None,
        ),
        _all(f"{GARBAGE_BYTES // 10**6} MB of garbage: bytes that arrived ({kind})", garbage, "bytes", GARBAGE_BYTES),
        *updates,
        *peaks,
    ]


class Memory:
    """Peaks of the processes that output passes through."""

    def __init__(self, ours: System, of: Collection[str] = PROCESSES) -> None:
        self._pids = {name: pid for name, pid in ours.installation.supervisor.pids().items() if name in of}
        self._before = {name: rss_mb(pid) for name, pid in self._pids.items()}
        for pid in self._pids.values():
            forget_peak(pid)

    def figures(self, during: str = "") -> list[Figure]:
        """One row per process."""
        return [
            Figure(
                name=f"{during}peak memory of the {name} meanwhile (RSS)",
                ours=exactly(peak_mb(pid)),
                bare=exactly(self._before[name]),
                unit="MB",
                against="the same process before",
                budget=MEMORY,
            )
            for name, pid in self._pids.items()
        ]


async def _endless(ours: System) -> Arrived:
    """Of the gigabyte: what stands in its place, and what the gap says."""
    arrived = Arrived()
    async for piece in _pieces(ours, ENDLESS):
        if piece.after is not None:
            arrived.gaps += 1
            arrived.missing += piece.missing
            continue
        data = piece.exact
        # What is in its place repeats the alphabet from where it stands among everything.
        at = (arrived.bytes + arrived.missing) % len(ENDLESS_UNIT)
        expected = (ENDLESS_UNIT * (len(data) // len(ENDLESS_UNIT) + 2))[at : at + len(data)]
        if data != expected or not piece.unterminated:
            raise CannotMeasureError(f"what arrived behind byte {arrived.bytes} was never written")
        arrived.bytes += len(data)
    return arrived


async def _paced(ours: System) -> tuple[int, float]:
    """How many lines stand where they belong, and how fast the script could write them."""
    count = 0
    began = ended = 0.0
    async for piece in _pieces(ours, PACED):
        text = piece.text
        if text.startswith("began "):
            began = float(text.split()[1])
        elif text.startswith("ended "):
            ended = float(text.split()[1])
        elif text.startswith(f"{count} "):
            count += 1
    return count, PACED_LINES / (ended - began)


async def _garbage(ours: System) -> int:
    """How many bytes arrived, when they are the ones that were written; 0 when not."""
    source, wrote, came, size = random.Random(GARBAGE_SEED), sha256(), sha256(), 0
    for _ in range(GARBAGE_BYTES // GARBAGE_PIECE):
        wrote.update(source.randbytes(GARBAGE_PIECE))
    async for piece in _pieces(ours, GARBAGE):
        came.update(piece.exact)
        size += len(piece.exact)
    return size if came.digest() == wrote.digest() else 0


async def _pieces(ours: System, pipeline: str) -> AsyncIterator[Piece]:
    """Lines and gaps of a new run, as they come."""
    run_id = await ours.trigger(pipeline)
    decode = msgspec.json.Decoder(Piece).decode
    held, looked, outcome = bytearray(), 0, b""
    async for _, some in ours.output(run_id):
        held += some
        while (end := held.find(b"\n\n", looked)) >= 0:
            _, _, data = bytes(held[:end]).partition(b"\ndata: ")
            if held.startswith(b"id: "):
                yield decode(data)
            elif held.startswith(b"event: end"):
                outcome = data
            del held[: end + 2]
            looked = 0
        looked = max(0, len(held) - 1)
    if b'"succeeded"' not in outcome:
        raise CannotMeasureError(f"{pipeline} failed: {(await ours.run(run_id))['reason']}")
    await ours.gone(run_id)


def _all(name: str, value: int, unit: str, of: int = ENDLESS_BYTES) -> Figure:
    return Figure(name=name, ours=exactly(value), bare=exactly(of), unit=unit, against="what was written", budget=ALL)

"""A flood of output, from a script to whoever watches it."""

import time
from collections.abc import AsyncIterator

import msgspec

from benchmarks.bare import Bare, bare
from benchmarks.measure import CannotMeasureError, exactly, interleaved, sample
from benchmarks.results import Budget, Figure
from benchmarks.scripts import LINES, MANY_LINES
from benchmarks.system import System, system

ROUNDS = 3
READ_BYTES = 1 << 16
LAST = b"%d the quick brown fox" % (LINES - 1)


async def measure() -> list[Figure]:
    """Lines per second over SSE in turn with `docker logs -f`, from the script's first instruction to its last line."""
    counts: list[int] = []
    async with system() as ours, bare(ours) as baseline:

        async def streamed() -> float:
            speed, count = await over_sse(ours)
            counts.append(count)
            return speed

        mine, theirs = await interleaved(streamed, lambda: followed(baseline), rounds=ROUNDS)
        docker = ours.engine is not None
        speed = Figure(
            name=f"{LINES // 1000} 000 lines, script → SSE ({ours.executor})",
            ours=sample(mine),
            bare=sample(theirs),
            unit="lines/s",
            against="docker run -d … uv run main.py; docker logs -f" if docker else "the pipe of uv run main.py",
            budget=Budget(0.5, at_least=True) if docker else None,
        )
    arrived = msgspec.structs.replace(
        speed,
        name="lines that arrived, once and in order",
        ours=exactly(min(counts)),
        bare=exactly(LINES),
        unit="lines",
        against="lines that were written",
        budget=Budget(1, at_least=True),
    )
    return [speed, arrived]


async def over_sse(ours: System) -> tuple[float, int]:
    """Lines per second, and how many lines arrived in their place."""
    run_id = await ours.trigger(MANY_LINES)
    output, ended = await _timed(piece async for _, piece in ours.output(run_id))
    texts = [msgspec.json.decode(line[6:])["text"] for line in output.split(b"\n") if line.startswith(b'data: {"n"')]
    await ours.gone(run_id)
    if not texts:
        raise CannotMeasureError(f"no output arrived: {(await ours.run(run_id))['reason']}")
    return LINES / (ended - float(texts[0])), _in_place(texts)


async def followed(baseline: Bare) -> float:
    """Lines per second of the engine's own way to follow output."""
    if baseline.system.engine is None:
        return await _read(baseline, baseline.command(MANY_LINES))
    docker, name = baseline.prefix[0], f"fastflow-bench-{time.time_ns()}"
    detached = await baseline.start(baseline.command(MANY_LINES, "-d", "--name", name))
    if await detached.wait() != 0:
        raise CannotMeasureError("docker run -d failed")
    try:
        return await _read(baseline, [docker, "logs", "-f", name])
    finally:
        await (await baseline.start([docker, "rm", "-f", "-v", name])).wait()


async def _read(baseline: Bare, command: list[str]) -> float:
    process = await baseline.start(command, MANY_LINES)
    stdout = process.stdout
    assert stdout is not None

    async def pieces() -> AsyncIterator[bytes]:
        while piece := await stdout.read(READ_BYTES):
            yield piece

    output, ended = await _timed(pieces())
    await process.wait()
    lines = output.splitlines()
    if len(lines) != LINES:
        raise CannotMeasureError(f"{len(lines)} of {LINES} lines arrived from the baseline")
    return LINES / (ended - float(lines[0]))


async def _timed(pieces: AsyncIterator[bytes]) -> tuple[bytes, float]:
    """Everything, and when the last line had arrived."""
    parts: list[bytes] = []
    ended = 0.0
    async for piece in pieces:
        parts.append(piece)
        if not ended and LAST in b"".join(parts[-2:]):
            ended = time.time()
    return b"".join(parts), ended or time.time()


def _in_place(texts: list[str]) -> int:
    """How many lines stand where they belong; the first one is the time."""
    return 1 + sum(text.startswith(f"{n} ") for n, text in enumerate(texts[1:], start=1))

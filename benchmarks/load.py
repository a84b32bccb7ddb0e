"""Many runs at once: what they cost, and when the last one is done."""

import asyncio
import time

import msgspec

from benchmarks.bare import Bare, bare
from benchmarks.measure import CannotMeasureError, machine_cpu_s, sample
from benchmarks.results import Budget, Figure
from benchmarks.scripts import PLAIN, SOCKETS
from benchmarks.system import RUN_WITHIN_S, System, system

RUNS = 50
SLOTS = 4
ROUNDS = 2


async def measure() -> list[Figure]:
    """50 runs submitted at once to 4 slots, in turn with 50 bare commands, 4 at a time."""
    async with system() as ours, bare(ours) as baseline:
        plain = await _figures(ours, baseline, PLAIN, "")
        if ours.engine is None:
            return plain
        return [*plain, *await _figures(ours, baseline, SOCKETS, " that leave closed connections behind")]


async def _figures(ours: System, baseline: Bare, pipeline: str, which: str) -> list[Figure]:
    mine: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    await ours.first_line(pipeline)
    await baseline.finish(pipeline)
    for _ in range(ROUNDS):
        mine.append(await _ours(ours, pipeline))
        theirs.append(await _bare(baseline, pipeline))
    runs = f"{RUNS} runs at once{which}, {SLOTS} slots"
    wall = Figure(
        name=f"{runs}: until all have finished ({ours.executor})",
        ours=sample([s for s, _ in mine]),
        bare=sample([s for s, _ in theirs]),
        unit="s",
        against=f"{baseline.named(pipeline)}, {SLOTS} at a time",
        budget=Budget(1.0),
    )
    cpu = msgspec.structs.replace(
        wall,
        name=f"{runs}: the machine's processor time per run ({ours.executor})",
        ours=sample([s / RUNS for _, s in mine]),
        bare=sample([s / RUNS for _, s in theirs]),
        budget=Budget(1.3),
    )
    return [wall, cpu]


async def _ours(ours: System, pipeline: str) -> tuple[float, float]:
    """Seconds until all runs have finished, as the facts say; processor seconds until nothing of them is left."""
    finished: set[str] = set()
    async with ours.http.stream("GET", "/api/events/stream", params={"type": "run.finished"}) as facts:
        facts.raise_for_status()
        cpu, began = machine_cpu_s(), time.perf_counter()
        ids = set(await asyncio.gather(*(ours.trigger(pipeline) for _ in range(RUNS))))
        async with asyncio.timeout(RUN_WITHIN_S):
            async for line in facts.aiter_lines():
                if line.startswith("data: "):
                    finished.add(_succeeded(line.removeprefix("data: ")))
                if finished >= ids:
                    break
        wall = time.perf_counter() - began
    for run_id in ids:
        await ours.gone(run_id)
    return wall, machine_cpu_s() - cpu


def _succeeded(fact: str) -> str:
    """The run that a fact says has finished."""
    body = msgspec.json.decode(fact)
    if body["data"]["outcome"] != "succeeded":
        raise CannotMeasureError(f"a run failed: {body['data']}")
    return str(body["aggregate_id"])


async def _bare(baseline: Bare, pipeline: str) -> tuple[float, float]:
    cpu, began = machine_cpu_s(), time.perf_counter()
    places = asyncio.Semaphore(SLOTS)

    async def one() -> None:
        async with places:
            await baseline.finish(pipeline)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(RUNS):
            tasks.create_task(one())
    return time.perf_counter() - began, machine_cpu_s() - cpu

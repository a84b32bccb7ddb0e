"""Many runs at once: what they cost, and when the last one is done."""

import asyncio
import time

import msgspec

from benchmarks.bare import Bare, bare
from benchmarks.measure import CannotMeasureError, machine_cpu_s, sample
from benchmarks.results import Budget, Figure
from benchmarks.scripts import PLAIN
from benchmarks.system import RUN_WITHIN_S, System, system

RUNS = 50
SLOTS = 4
ROUNDS = 2


async def measure() -> list[Figure]:
    """50 runs submitted at once to 4 slots, in turn with 50 bare commands, 4 at a time."""
    mine: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    async with system() as ours, bare(ours) as baseline:
        await ours.first_line(PLAIN)
        await baseline.finish(PLAIN)
        for _ in range(ROUNDS):
            mine.append(await _ours(ours))
            theirs.append(await _bare(baseline))
    wall = Figure(
        name=f"{RUNS} runs at once, {SLOTS} slots: until all have finished ({ours.executor})",
        ours=sample([s for s, _ in mine]),
        bare=sample([s for s, _ in theirs]),
        unit="s",
        against=f"{baseline.named(PLAIN)}, {SLOTS} at a time",
        budget=Budget(1.0),
    )
    cpu = msgspec.structs.replace(
        wall,
        name=f"{RUNS} runs at once, {SLOTS} slots: the machine's processor time per run ({ours.executor})",
        ours=sample([s / RUNS for _, s in mine]),
        bare=sample([s / RUNS for _, s in theirs]),
        budget=Budget(1.3),
    )
    return [wall, cpu]


async def _ours(ours: System) -> tuple[float, float]:
    """Seconds until all runs have finished, as the facts say; processor seconds until nothing of them is left."""
    finished: set[str] = set()
    async with ours.http.stream("GET", "/api/events/stream", params={"type": "run.finished"}) as facts:
        facts.raise_for_status()
        cpu, began = machine_cpu_s(), time.perf_counter()
        ids = set(await asyncio.gather(*(ours.trigger(PLAIN) for _ in range(RUNS))))
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
    told = msgspec.json.decode(fact)
    if told["data"]["outcome"] != "succeeded":
        raise CannotMeasureError(f"a run failed: {told['data']}")
    return str(told["aggregate_id"])


async def _bare(baseline: Bare) -> tuple[float, float]:
    cpu, began = machine_cpu_s(), time.perf_counter()
    places = asyncio.Semaphore(SLOTS)

    async def one() -> None:
        async with places:
            await baseline.finish(PLAIN)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(RUNS):
            tasks.create_task(one())
    return time.perf_counter() - began, machine_cpu_s() - cpu

"""From the trigger to the first line of the script."""

from benchmarks.bare import bare
from benchmarks.measure import interleaved, sample
from benchmarks.results import Budget, Figure
from benchmarks.scripts import PACKAGES, PLAIN
from benchmarks.system import system

ROUNDS = 7
COLD = Budget(0.8)
"""While every run's container is made on demand; with standby workers it will be 0.25 and 0.4."""


async def measure() -> list[Figure]:
    """A request over HTTP until its first line comes over SSE, warm, in turn with the bare command."""
    figures = []
    async with system() as ours, bare(ours) as baseline:
        for pipeline, what in ((PLAIN, "no packages"), (PACKAGES, "requests imported")):

            async def one(name: str = pipeline) -> float:
                return await ours.first_line(name)

            async def other(name: str = pipeline) -> float:
                return await baseline.first_line(name)

            mine, theirs = await interleaved(one, other, rounds=ROUNDS, warm_up=2)
            figures.append(
                Figure(
                    name=f"trigger → first line, {what} ({ours.executor}, cold path)",
                    ours=sample([s * 1000 for s in mine]),
                    bare=sample([s * 1000 for s in theirs]),
                    unit="ms",
                    against=baseline.named(pipeline),
                    budget=COLD,
                )
            )
    return figures

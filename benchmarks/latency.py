"""From the trigger to the first line of the script."""

import asyncio

from msgspec import Struct

from benchmarks.bare import bare
from benchmarks.measure import interleaved, sample
from benchmarks.results import Budget, Figure
from benchmarks.scripts import PACKAGES, PLAIN, SOCKETS
from benchmarks.system import System, system

ROUNDS = 5
SETTLE_S = 1.0
"""The pool of standby workers refills meanwhile, and takes nothing from the baseline's time."""
NO_STANDBY = {"FASTFLOW_STANDBY": "0"}


class Row(Struct, frozen=True):
    """One pipeline and what is promised for it."""

    pipeline: str
    what: str
    budget: Budget


WARM = (
    Row(PLAIN, "no packages", Budget(0.25)),
    Row(SOCKETS, "closed connections left behind", Budget(0.25)),
    Row(PACKAGES, "requests imported", Budget(0.4)),
)
COLD = (Row(PACKAGES, "requests imported, no standby worker", Budget(0.8)),)
PROCESS = (Row(PLAIN, "no packages", Budget(0.8)), Row(PACKAGES, "requests imported", Budget(0.8)))


async def measure() -> list[Figure]:
    """A request over HTTP until its first line comes over SSE, warm, in turn with the bare command."""
    async with system() as ours:
        if ours.engine is None:
            return await _rows(ours, PROCESS)
        figures = await _rows(ours, WARM)
    async with system(NO_STANDBY) as ours:
        return [*figures, *await _rows(ours, COLD)]


async def _rows(ours: System, rows: tuple[Row, ...]) -> list[Figure]:
    async with bare(ours) as baseline:
        figures = []
        for row in rows:

            async def one(name: str = row.pipeline) -> float:
                took = await ours.first_line(name)
                await asyncio.sleep(SETTLE_S)
                return took

            async def other(name: str = row.pipeline) -> float:
                return await baseline.first_line(name)

            mine, theirs = await interleaved(one, other, rounds=ROUNDS)
            figures.append(
                Figure(
                    name=f"trigger → first line, {row.what} ({ours.executor})",
                    ours=sample([s * 1000 for s in mine]),
                    bare=sample([s * 1000 for s in theirs]),
                    unit="ms",
                    against=baseline.named(row.pipeline),
                    budget=row.budget,
                )
            )
        return figures

"""A line that does not end, as a progress bar writes it: how soon it is seen, and how often it is told."""

import re
import time

from benchmarks.measure import CannotMeasureError, exactly, sample
from benchmarks.results import Budget, Figure
from benchmarks.scripts import BAR, BAR_LINES, BAR_PER_S, BAR_S
from benchmarks.system import System

_WRITTEN = re.compile(rb"@(\d+\.\d+)")
AGE = Budget(1.5)
TOLD = Budget(0.02)


async def rows(ours: System) -> list[Figure]:
    """The bar against the same updates, each on a line of its own."""
    bar, lines = await _ages_ms(ours, BAR), await _ages_ms(ours, BAR_LINES)
    what = f"{BAR_PER_S} updates/s of a line that does not end"
    return [
        Figure(
            name=f"{what}: age of the newest when it is shown ({ours.executor})",
            ours=sample(bar),
            bare=sample(lines),
            unit="ms",
            against="the same, each on a line of its own",
            budget=AGE,
        ),
        Figure(
            name=f"{what}: told ({ours.executor})",
            ours=exactly(len(bar) / BAR_S),
            bare=exactly(BAR_PER_S),
            unit="times/s",
            against="written",
            budget=TOLD,
        ),
    ]


async def _ages_ms(ours: System, pipeline: str) -> list[float]:
    """How old the newest update was each time that something came while the script wrote."""
    run_id, ages, newest = await ours.trigger(pipeline), [], 0.0
    async for _, some in ours.output(run_id):
        written = max(map(float, _WRITTEN.findall(some)), default=0.0)
        if written > newest:
            newest = written
            ages.append((time.time() - newest) * 1000)
    await ours.gone(run_id)
    if not ages:
        raise CannotMeasureError(f"{pipeline} showed nothing")
    return ages

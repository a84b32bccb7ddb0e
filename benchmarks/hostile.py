"""What a pipeline leaves to be read that is far too large: how much memory the runner takes for it."""

from benchmarks.measure import CannotMeasureError
from benchmarks.output import Memory
from benchmarks.results import Figure
from benchmarks.scripts import HUGE_MARKER, HUGE_MB, HUGE_WHEEL
from benchmarks.system import system


async def measure() -> list[Figure]:
    """Runs that leave holes of 700 MB in the place of the marker of their end, and beside the wheel of a build."""
    async with system() as ours:
        memory = Memory(ours, ("runner",))
        for pipeline in (HUGE_MARKER, HUGE_WHEEL):
            run_id = await ours.trigger(pipeline)
            async for _ in ours.output(run_id):
                pass
            await ours.gone(run_id)
            run = await ours.run(run_id)
            if run["status"] not in {"succeeded", "failed"}:
                raise CannotMeasureError(f"{pipeline} is {run['status']}")
        return memory.figures(f"a marker and a wheel of {HUGE_MB} MB ({ours.executor}): ")

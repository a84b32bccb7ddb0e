"""Cells: how those of a notebook ended, each as a fact, once."""

from fastflow_events.aggregates.run.commands import ReportAttempt
from fastflow_events.aggregates.run.events import RunCellFinished

from fastflow_runner.attempt import AttemptContext
from fastflow_runner.deps import Deps
from fastflow_runner.facts import record
from fastflow_runner.ports import Exit


async def report(deps: Deps, context: AttemptContext, exit: Exit) -> None:
    """Say of each cell how it ended, all at once; what was said before is not said again.

    Raises:
        FencedError: the attempt belongs to somebody else.
    """
    ends = exit.notebook.cells if exit.notebook else ()
    if not ends:
        return
    attempt, runner = context.ref.attempt, deps.holder.runner
    first, *more = [
        RunCellFinished(attempt=attempt, runner=runner, cell=end.cell, succeeded=end.succeeded, tries=end.tries)
        for end in ends
    ]
    await record(deps.log, context, ReportAttempt(holder=deps.holder, report=first, more=tuple(more)))

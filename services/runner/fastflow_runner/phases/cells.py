"""Cells: how those of a notebook ended, each as a fact, once."""

from fastflow_events.run.commands import ReportAttempt
from fastflow_events.run.events import RunCellFinished

from fastflow_runner.attempt import Brief
from fastflow_runner.deps import Deps
from fastflow_runner.facts import record
from fastflow_runner.patience import insist
from fastflow_runner.ports import Exit


async def report(deps: Deps, brief: Brief, exit: Exit) -> None:
    """Say of each cell how it ended, unless it was said before.

    Raises:
        FencedError: the attempt belongs to somebody else.
    """
    ends = exit.notebook.cells if exit.notebook else ()
    if not ends or await _is_said(deps, brief):
        return
    attempt, runner = brief.ref.attempt, deps.holder.runner
    first, *more = [
        RunCellFinished(attempt=attempt, runner=runner, cell=end.cell, succeeded=end.succeeded, tries=end.tries)
        for end in ends
    ]
    # All of them or none, so that whoever goes on after a crash need not count.
    await record(deps, brief, ReportAttempt(holder=deps.holder, report=first, more=tuple(more)))


async def _is_said(deps: Deps, brief: Brief) -> bool:
    history = await insist(lambda: deps.log.load("run", brief.ref.run_id), what="reading the run")
    return any(isinstance(fact, RunCellFinished) and fact.attempt == brief.ref.attempt for fact in history.facts)

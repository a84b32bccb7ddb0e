"""Finish: say how the attempt ended, then forget it."""

import asyncio
import logging

from fastflow_events.aggregates.run.commands import FinishAttempt, ReportAttempt
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunOutputTruncated
from fastflow_events.errors import FencedError, InfrastructureError
from fastflow_events.log import EventLog
from fastflow_events.service.tasks import background

from fastflow_runner.attempt import AttemptContext
from fastflow_runner.core.gauge import Peaks
from fastflow_runner.core.notices import notice
from fastflow_runner.core.outcome import Ending, finished
from fastflow_runner.core.reconcile import verdict
from fastflow_runner.deps import Deps
from fastflow_runner.facts import read_history, record
from fastflow_runner.phases.shipper import shipper_of
from fastflow_runner.retrying_executor import RetryingExecutor
from fastflow_runner.shipping import Shipper

logger = logging.getLogger(__name__)

REMOVE_RETRY_FOR_S = 30.0
STOPPING_S = 5.0
"""A runner that stops lets removals that have begun go on for so long."""


async def explain(deps: Deps, context: AttemptContext, ending: Ending) -> Shipper:
    """Close the output of an attempt that has none, with the reason in it."""
    lead = [notice(ending.detail, deps.clock())] if ending.detail and ending.outcome != "cancelled" else []
    shipper = await shipper_of(deps, context, lead=lead)
    async with background(shipper.send()):
        await shipper.close()
    return shipper


async def finish(deps: Deps, context: AttemptContext, ending: Ending, shipper: Shipper, peaks: Peaks) -> None:
    """Append the end of the attempt and remove what is left of it.

    Raises:
        FencedError: the attempt is not ours any more.
    """
    runner, attempt = deps.holder.runner, context.ref.attempt
    dropped_bytes = ending.observed.dropped_bytes if ending.observed else 0
    if dropped_bytes and not await _said_truncated(deps.log, context):
        report = RunOutputTruncated(attempt=attempt, runner=runner, dropped_bytes=dropped_bytes)
        await record(deps.log, context, ReportAttempt(holder=deps.holder, report=report))
    tally = shipper.tally
    fact = finished(
        ending,
        context.ref,
        runner=runner,
        lines=tally.lines,
        size_bytes=tally.size_bytes,
        now=deps.clock(),
        peaks=peaks,
        error=tally.errors.last,
    )
    await record(deps.log, context, FinishAttempt(holder=deps.holder, finished=fact))
    deps.passed("finished")
    await remove(deps.executor, context)


async def remove(executor: RetryingExecutor, context: AttemptContext) -> None:
    """Remove the attempt from the engine; what cannot be removed now is found again by reconciliation."""
    removing = asyncio.ensure_future(_remove(executor, context))
    try:
        await asyncio.shield(removing)
    except asyncio.CancelledError:
        # What is over would lie about until somebody starts a runner here again.
        await asyncio.wait({removing}, timeout=STOPPING_S)
        removing.cancel()
        raise


async def _remove(executor: RetryingExecutor, context: AttemptContext) -> None:
    try:
        await executor.remove(context.ref, retry_for_s=REMOVE_RETRY_FOR_S)
    except InfrastructureError as exc:
        logger.warning("left behind for later: %s", exc, extra={"action": "removal_postponed"})


async def withdraw(deps: Deps, context: AttemptContext, why: FencedError) -> None:
    """Leave an attempt that is not ours any more: end and remove it, unless others go on with it on this engine."""
    history = await read_history(deps.log, "run", context.ref.run_id)
    trusted = not deps.log.doubts.why("run", context.ref.run_id)
    kept = trusted and verdict(run_decider.fold(history.facts), context.ref, deps.holder) == "keep"
    logger.warning("fenced: %s", why, extra={"action": "fenced", "kept": kept})
    if not kept:
        await deps.executor.stop(context.ref, grace_s=0)
        await remove(deps.executor, context)


async def _said_truncated(log: EventLog, context: AttemptContext) -> bool:
    history = await read_history(log, "run", context.ref.run_id)
    return any(isinstance(f, RunOutputTruncated) and f.attempt == context.ref.attempt for f in history.facts)

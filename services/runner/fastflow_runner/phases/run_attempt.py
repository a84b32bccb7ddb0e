"""The course of one attempt, from wherever it stands to its end."""

import logging

from fastflow_events.errors import ContractError, FencedError, InfrastructureError, NotFoundError
from fastflow_events.service.tasks import background

from fastflow_runner.attempt import AttemptContext, CancelledRunError, Signals
from fastflow_runner.core.endings import BeforeStart
from fastflow_runner.core.gauge import Peaks
from fastflow_runner.core.outcome import Ending, is_disk_full, never_ran, of_exit, why_not
from fastflow_runner.deps import Deps
from fastflow_runner.phases import cells, code, collect, environment, finish, sample, start, stream
from fastflow_runner.ports import DependencyError, Started, VolumeChangedError

logger = logging.getLogger(__name__)

VOLUME_TRIES = 3
"""How often code and environment are made for one attempt when they disappear before it starts."""


async def run_attempt(deps: Deps, context: AttemptContext, signals: Signals, *, fresh: bool) -> None:
    """Bring an attempt to its end and forget it; `fresh` when nobody can have begun it before."""
    try:
        peaks = Peaks()
        started = await _begin(deps, context, signals, fresh=fresh)
        if isinstance(started, Ending):
            ending, shipper = started, await finish.explain(deps, context, started)
        else:
            gauge = await sample.gauge_of(deps.samples, context, started, fresh=fresh)
            async with background(sample.measure(deps, context, gauge)):
                exit, watched, shipper = await stream.stream(deps, context, signals, started, fresh=fresh)
            await cells.report(deps, context, exit)
            peaks, lost = gauge.peaks, await collect.collect(deps, context, exit)
            deps.passed("collected")
            ending = of_exit(
                exit,
                timeout_s=context.specification.timeout_s,
                memory_bytes=started.manifest.memory_bytes or context.specification.limits.memory_bytes,
                disk_bytes=started.manifest.disk_bytes,
                overdue=watched.overdue,
                cancelled=signals.cancelled.is_set(),
                lost_artifacts=lost.paths if lost else (),
                why_lost=lost.why if lost else None,
            )
        await finish.finish(deps, context, ending, shipper, peaks)
    except FencedError as exc:
        await finish.withdraw(deps, context, exc)


async def _begin(deps: Deps, context: AttemptContext, signals: Signals, *, fresh: bool) -> Started | Ending:
    """Start of user code, or why there was none."""
    if not fresh:
        known = await deps.executor.started(context.ref)
        # What the log says was started is never started again, even when the engine has forgotten it.
        if (started := known or context.started) is not None:
            return started
    try:
        started = await _make_ready_and_start(deps, context, signals)
        deps.passed("launched")
    except CancelledRunError:
        return never_ran("cancelled", BeforeStart())
    except DependencyError as exc:
        if is_disk_full(str(exc)):
            return never_ran("infrastructure_error", why_not(exc.statement))
        return never_ran("dependency_error", exc.statement)
    except (ContractError, InfrastructureError, NotFoundError) as exc:
        return never_ran("infrastructure_error", why_not(exc.statement))
    return started


async def _make_ready_and_start(deps: Deps, context: AttemptContext, signals: Signals) -> Started:
    """Code, environment, start; all of it again when somebody has emptied the volume in between."""
    for again in range(VOLUME_TRIES):
        await code.stage(deps, context, signals)
        deps.passed("code")
        try:
            prepared = await environment.prepare(deps, context, signals)
            deps.passed("environment")
            return await start.start(deps, context, signals, prepared)
        except VolumeChangedError as exc:
            if again + 1 == VOLUME_TRIES:
                raise
            logger.warning("made ready again: %s", exc, extra={"action": "volume_changed"})
    raise AssertionError("unreachable")

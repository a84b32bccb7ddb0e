"""The course of one attempt, from wherever it stands to its end."""

from fastflow_events.errors import ContractError, FencedError, InfrastructureError, NotFoundError

from fastflow_runner.attempt import Brief, CancelledRunError, Signals
from fastflow_runner.deps import Deps
from fastflow_runner.outcome import Ending, is_disk_full, never_ran, of_exit, why_not
from fastflow_runner.patience import insist
from fastflow_runner.phases import code, environment, finish, start, stream
from fastflow_runner.ports import DependencyError, Started


async def pursue(deps: Deps, brief: Brief, signals: Signals, *, fresh: bool) -> None:
    """Bring an attempt to its end and forget it; `fresh` when nobody can have begun it before."""
    try:
        started = await _begin(deps, brief, signals, fresh=fresh)
        if isinstance(started, Ending):
            ending, shipper = started, await finish.explain(deps, brief, started)
        else:
            exit, watched, shipper = await stream.stream(deps, brief, signals, started, fresh=fresh)
            ending = of_exit(
                exit,
                timeout_s=brief.specification.timeout_s,
                memory_bytes=brief.specification.limits.memory_bytes,
                overdue=watched.overdue,
                cancelled=signals.cancelled.is_set(),
            )
        await finish.finish(deps, brief, ending, shipper)
    except FencedError as exc:
        await finish.withdraw(deps, brief, exc)


async def _begin(deps: Deps, brief: Brief, signals: Signals, *, fresh: bool) -> Started | Ending:
    """Start of user code, or why there was none."""
    if not fresh:
        known = await insist(lambda: deps.executor.started(brief.ref), what="asking whether it started")
        # What the log says was started is never started again, even when the engine has forgotten it.
        if (started := known or brief.started) is not None:
            return started
    try:
        await code.stage(deps, brief, signals)
        deps.passed("code")
        prepared = await environment.prepare(deps, brief, signals)
        deps.passed("environment")
        started = await start.start(deps, brief, signals, prepared)
        deps.passed("launched")
    except CancelledRunError:
        return never_ran("cancelled", "before the script was started")
    except DependencyError as exc:
        full = is_disk_full(str(exc))
        return never_ran("infrastructure_error" if full else "dependency_error", why_not(str(exc)))
    except (ContractError, InfrastructureError, NotFoundError) as exc:
        return never_ran("infrastructure_error", why_not(str(exc)))
    return started

"""Running once more what has run: with the same options but for what shall differ, at today's code or at its own."""

from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause

from fastflow_gateway.core.errors import RunNotOverError, no_such_run
from fastflow_gateway.core.refusals import NotOver
from fastflow_gateway.core.rerun_request import RerunBody, options_of
from fastflow_gateway.core.views import runs as view
from fastflow_gateway.core.views.runs import OVER
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import find_runnable
from fastflow_gateway.handlers.run_params import fitting
from fastflow_gateway.handlers.runs import Accepted, request_run


async def rerun(
    deps: Deps, run_id: str, changes: RerunBody, *, new_id: str, who: str, cause: Cause, repeated: bool
) -> Accepted:
    """Ask for a new run of the same pipeline with the same params, variables and run configuration, but for changes.

    It stands for the same instant, where the old one did for one; retries and limits are those of its definition.

    Raises:
        NotFoundError: there is no such run, or its pipeline is gone.
        RunNotOverError: it has not ended yet.
        InvalidFieldError: a name that shall go is none that the run had.
        FastflowError: what `request_run` refuses.
    """
    first = await _first_of(deps.log, run_id)
    after = first.trigger.upstream_run or first.trigger.rerun_after
    return await request_run(
        deps,
        first.pipeline,
        options_of(first, changes),
        run_id=new_id,
        trigger=Trigger(kind="http", who=who, nominal=first.trigger.nominal, rerun_of=run_id, rerun_after=after),
        cause=cause,
        repeated=repeated,
    )


async def could_rerun(deps: Deps, run_id: str, changes: RerunBody) -> None:
    """Refuse what `rerun` would refuse now, and ask for nothing.

    Raises:
        FastflowError: what `rerun` refuses.
    """
    first = await _first_of(deps.log, run_id)
    options = options_of(first, changes)
    row = await find_runnable(deps, first.pipeline, options.run_config_id)
    await fitting(deps.log, row, options)


async def _first_of(log: EventLog, run_id: str) -> RunRequested:
    """What was asked for with a run that is over."""
    history = (await log.load("run", run_id)).recorded
    row = view.fold(history)
    if row is None:
        raise no_such_run(run_id)
    if row.status not in OVER:
        raise RunNotOverError(NotOver(row.status), run=run_id)
    first = history[0].fact
    assert isinstance(first, RunRequested)
    return first

"""Asking for runs, ending them, looking at them."""

from fastflow_events.aggregates.run.commands import RequestCancel, RequestRun
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.errors import ConcurrencyError, DomainError, InfrastructureError
from fastflow_events.execute import execute
from fastflow_events.ids import uuid7
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause, History, Position
from fastflow_rules.definition import priority_of
from fastflow_rules.queue.capacity import too_full
from msgspec import Struct

from fastflow_gateway.core.errors import InvalidParamsError, KeyReusedError, LogFullError, no_such_run
from fastflow_gateway.core.refusals import KeyReused
from fastflow_gateway.core.responses.attempts import Story, story_of
from fastflow_gateway.core.rights import check_rights
from fastflow_gateway.core.run_request import RunOptions, check_variables
from fastflow_gateway.core.views import runs as view
from fastflow_gateway.core.views.runs import RunRow, RunStatus
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import definition_of, find_runnable
from fastflow_gateway.handlers.run_params import fitting


class Accepted(Struct, frozen=True, kw_only=True):
    """The request is in the log; `GET` of the run knows it from now on."""

    id: str
    pipeline: str
    status: RunStatus
    seq: int
    """Stream position of the fact; the same one however often the same is asked."""


def fresh_run_id(deps: Deps) -> str:
    """An id for a request that nobody will repeat."""
    return uuid7(int(deps.clock().timestamp() * 1000), deps.random_bytes(10))


async def request_run(
    deps: Deps,
    pipeline: str,
    options: RunOptions,
    *,
    run_id: str,
    trigger: Trigger,
    cause: Cause,
    repeated: bool = False,
) -> Accepted:
    """Ask for a run; asking again with the same id returns the run that was asked for first.

    `repeated` says that the id may be taken because somebody may ask twice.

    Raises:
        InvalidFieldError: he may not say this, or nobody may.
        NotFoundError: there is no such pipeline.
        NotRunnableError: the pipeline is invalid or disabled.
        InvalidParamsError: the parameters are not those the pipeline takes.
        KeyReusedError: the id stands for another request.
        LogFullError: the log is nearly full; what runs can still end.
    """
    check_rights(options, trigger)
    check_variables("env", options.env)
    check_variables("params", options.params)
    asked = options
    try:
        row = await find_runnable(deps, pipeline, options.run_config_id)
        options = await fitting(deps.log, row, options)
    except (DomainError, InvalidParamsError):
        if repeated and (earlier := await _asked_before(deps.log, run_id, pipeline, options)):
            return earlier
        raise
    if full := too_full(*await deps.log_fill()):
        if repeated and (earlier := await _asked_before(deps.log, run_id, pipeline, options, asked)):
            return earlier
        raise LogFullError(full)
    request = RunRequested(
        pipeline=pipeline,
        trigger=trigger,
        commit=options.commit or row.commit_sha,
        run_config_id=options.run_config_id,
        env=options.env,
        params=options.params,
        priority=priority_of(definition_of(row), options.run_config_id)
        if options.priority is None
        else options.priority,
    )
    facts = run_decider.decide(RequestRun(request=request), run_decider.initial)
    try:
        [recorded] = await deps.log.append(Position(aggregate="run", id=run_id), facts, cause=cause)
    except ConcurrencyError:
        if earlier := await _asked_before(deps.log, run_id, pipeline, options, asked):
            return earlier
        raise
    return Accepted(id=run_id, pipeline=pipeline, status="queued", seq=recorded.seq)


async def _asked_before(log: EventLog, run_id: str, pipeline: str, *several: RunOptions) -> Accepted | None:
    """The run that was asked for under this id; any of the options may be those, as they were said or as they fit."""
    history = await log.load("run", run_id)
    row = view.fold(history.recorded)
    if row is None:
        return None
    first = history.facts[0]
    assert isinstance(first, RunRequested)
    stored = (first.pipeline, first.env, first.params, first.run_config_id)
    if not any(
        (pipeline, options.env, options.params, options.run_config_id) == stored
        and options.commit in (None, first.commit)
        for options in several
    ):
        raise KeyReusedError(KeyReused(), run=run_id)
    return Accepted(id=run_id, pipeline=row.pipeline, status=row.status, seq=row.requested_seq)


async def cancel_run(log: EventLog, run_id: str, *, who: str, why: str, cause: Cause) -> Accepted:
    """Ask for the run's end; asking twice is asking once.

    Raises:
        NotFoundError: there is no such run.
        NotActiveError: the run is over.
    """
    await execute(log, run_decider, run_id, RequestCancel(who=who, why=why), cause=cause)
    row = view.fold((await log.load("run", run_id)).recorded)
    assert row is not None
    return Accepted(id=run_id, pipeline=row.pipeline, status=row.status, seq=row.seq)


async def find_run(deps: Deps, run_id: str) -> RunRow:
    """The run; one whose facts are not in the rows yet is found in the log, so everybody reads what he wrote.

    Raises:
        NotFoundError: nobody ever asked for it.
    """
    row = await deps.rows.run(run_id) or view.fold((await deps.log.load("run", run_id)).recorded)
    if row is None:
        raise no_such_run(run_id)
    return row


async def story_of_run(log: EventLog, run_id: str) -> Story | None:
    """What its own facts tell; None while the log is away: the row is shown all the same."""
    try:
        return story_of((await log.load("run", run_id)).recorded)
    except InfrastructureError:
        return None


async def history_of_run(log: EventLog, run_id: str) -> History:
    """The run's whole story.

    Raises:
        NotFoundError: there is no such run.
    """
    history = await log.load("run", run_id)
    if not history.recorded:
        raise no_such_run(run_id)
    return history

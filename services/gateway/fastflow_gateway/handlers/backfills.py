"""Backfills: runs for instants of the past, as if a schedule had fired."""

from datetime import datetime

from fastflow_events.absent import NoSuchBackfill
from fastflow_events.aggregates.backfill.commands import CancelBackfill, RequestBackfill
from fastflow_events.aggregates.backfill.decider import backfill_decider
from fastflow_events.aggregates.backfill.events import MAX_INSTANTS, BackfillRequested
from fastflow_events.errors import NotFoundError
from fastflow_events.execute import execute
from fastflow_events.ids import run_id_of_backfill, run_id_of_fire, uuid7
from fastflow_events.instants import held, later
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause
from fastflow_rules.schedules.crontab import HORIZON
from fastflow_rules.schedules.timetable import next_fires
from msgspec import Struct

from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.faults import BackfillRange, Concurrency, TooFarAhead, TooManyInstants
from fastflow_gateway.core.run_request import check_variables
from fastflow_gateway.core.views.runs import RunStatus
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.schedules import find
from fastflow_gateway.ports import ReadModel


class BackfillBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a backfill."""

    schedule: str
    """Name of the schedule whose instants are wanted."""
    after: datetime
    until: datetime
    only_missing: bool = True
    """Leave out instants whose own run succeeded."""
    concurrency: int = 1
    params: dict[str, str] = {}
    preview: bool = False
    """Only tell which instants it would be."""


class BackfillResponse(Struct, frozen=True, kw_only=True):
    """A backfill, or what it would be."""

    id: str | None
    instants: list[datetime]
    runs: dict[str, RunStatus] = {}
    """Status by run, of those that were asked for."""
    cancelled: bool = False


async def request(deps: Deps, pipeline: str, body: BackfillBody, *, who: str, cause: Cause) -> BackfillResponse:
    """Ask for a run for each instant of a schedule in a range, or tell which these are.

    Raises:
        NotFoundError: there is no such pipeline or schedule.
        InvalidFieldError: nobody may give its params, there is nothing to do, too much, or the range makes no sense.
    """
    check_variables("params", body.params)
    plan = await find(deps, pipeline, body.schedule)
    if body.after.tzinfo is None or body.until.tzinfo is None or body.after >= body.until:
        raise InvalidFieldError(BackfillRange(), "/after")
    if held(body.until) > later(deps.clock(), HORIZON.total_seconds()):
        raise InvalidFieldError(TooFarAhead(), "/until")
    if not 1 <= body.concurrency <= 1000:
        raise InvalidFieldError(Concurrency(1000), "/concurrency")
    found = next_fires(plan.timetable, after=body.after, until=body.until, count=MAX_INSTANTS + 1)
    if len(found) > MAX_INSTANTS:
        raise InvalidFieldError(TooManyInstants(MAX_INSTANTS), "/until")
    if body.only_missing:
        found = [at for at in found if not await _succeeded(deps.rows, run_id_of_fire(pipeline, plan.name, at))]
    if body.preview or not found:
        return BackfillResponse(id=None, instants=found)
    id = uuid7(int(deps.clock().timestamp() * 1000), deps.random_bytes(10))
    fact = BackfillRequested(
        pipeline=pipeline,
        schedule=plan.id,
        instants=tuple(found),
        concurrency=body.concurrency,
        run_config_id=plan.run_config_id,
        params={**plan.params, **body.params},
        priority=plan.priority,
        who=who,
    )
    await execute(deps.log, backfill_decider, id, RequestBackfill(request=fact), cause=cause)
    return BackfillResponse(id=id, instants=found)


async def show(deps: Deps, id: str) -> BackfillResponse:
    """A backfill with the status of its runs.

    Raises:
        NotFoundError: nobody asked for it.
    """
    known = backfill_decider.fold((await deps.log.load("backfill", id)).facts)
    if known.request is None:
        raise NotFoundError(NoSuchBackfill(), backfill=id[:64])
    runs: dict[str, RunStatus] = {}
    for at in known.request.instants:
        row = await deps.rows.run(run_id_of_backfill(id, at))
        if row is not None:
            runs[row.id] = row.status
    return BackfillResponse(id=id, instants=list(known.request.instants), runs=runs, cancelled=known.cancelled)


async def cancel(log: EventLog, id: str, *, who: str, why: str, cause: Cause) -> None:
    """Ask for no more of its runs, and for the end of the open ones.

    Raises:
        NotFoundError: nobody asked for it.
    """
    await execute(log, backfill_decider, id, CancelBackfill(who=who, why=why), cause=cause)


async def _succeeded(rows: ReadModel, run_id: str) -> bool:
    row = await rows.run(run_id)
    return row is not None and row.status == "succeeded"

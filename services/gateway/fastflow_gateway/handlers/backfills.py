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
from fastflow_events.recorded import Cause
from fastflow_rules.schedules.crontab import HORIZON
from fastflow_rules.schedules.timetable import next_fires
from msgspec import Struct

from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.faults import BackfillRange, Concurrency, TooFarAhead, TooManyInstants
from fastflow_gateway.core.responses.backfills import BackfillResponse, list_backfill, previewed, show_backfill
from fastflow_gateway.core.run_request import check_variables
from fastflow_gateway.core.views.backfills import request_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.schedules import find
from fastflow_gateway.handlers.settling import settle
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
        ids = {at: run_id_of_fire(pipeline, plan.name, at) for at in found}
        known = await deps.rows.statuses(list(ids.values()))
        found = [at for at in found if known.get(ids[at]) != "succeeded"]
    if body.preview or not found:
        return previewed(pipeline, plan.id, found, id=None, concurrency=body.concurrency, who=who)
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
    await settle(
        deps.changes, await execute(deps.log, backfill_decider, id, RequestBackfill(request=fact), cause=cause)
    )
    return previewed(pipeline, plan.id, found, id=id, concurrency=body.concurrency, who=who)


async def show(rows: ReadModel, id: str) -> BackfillResponse:
    """A backfill with the status of its runs.

    Raises:
        NotFoundError: nobody asked for it.
    """
    row = await rows.backfill(id)
    if row is None:
        raise NotFoundError(NoSuchBackfill(), backfill=id[:64])
    return show_backfill(row, await rows.statuses([run_id_of_backfill(id, at) for at in request_of(row).instants]))


async def page_of_backfills(
    rows: ReadModel, *, pipeline: str | None, before: int | None, limit: int
) -> tuple[list[BackfillResponse], int | None]:
    """Backfills, newest first, and the position to go on before."""
    found = await rows.backfills(pipeline=pipeline, before_seq=before, limit=limit + 1)
    counts = await rows.backfill_counts([row.id for row in found[:limit]])
    shown = [list_backfill(row, counts.get(row.id, {})) for row in found[:limit]]
    return shown, found[limit - 1].requested_seq if len(found) > limit else None


async def cancel(deps: Deps, id: str, *, who: str, why: str, cause: Cause) -> None:
    """Ask for no more of its runs, and for the end of the open ones.

    Raises:
        NotFoundError: nobody asked for it.
    """
    command = CancelBackfill(who=who, why=why)
    await settle(deps.changes, await execute(deps.log, backfill_decider, id, command, cause=cause))

"""Admitting runs: refusing what can never start, handing out places to the others. Only the leader hands out."""

import logging

from fastflow_events.aggregates.run.commands import DispatchAttempt, RejectRun
from fastflow_events.errors import ConcurrencyError, ContractError, InfrastructureError
from fastflow_events.message import retold
from fastflow_rules.queue.admission import Lane, Refusal, freeze, rejection_of
from fastflow_rules.queue.refusals import Unwritable

from fastflow_scheduler.core.run_queue import Pick
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers.appending import append, each, leave

logger = logging.getLogger(__name__)


async def admit(deps: Deps) -> None:
    """Judge what is new, then start as many runs as there are places."""
    await each(deps, "run", deps.state.runs.to_judge, lambda run_id: _judge(deps, run_id))
    lease, runs = deps.leadership.lease, deps.state.runs
    if lease is None or deps.state.seq < lease.seq:
        return
    if deps.leadership.settled_term != deps.leadership.term:
        deps.leadership.settled_term = deps.leadership.term
        runs.know_all()
    while (pick := runs.run_queue.pick(runs.capacity)) is not None:
        try:
            if not await _start_or_refuse(deps, pick):
                return
        except InfrastructureError:
            raise
        except Exception as exc:  # a run that cannot be started must not stand in the way of all others
            logger.exception("it cannot be started", extra={"action": "left_alone", "run_id": pick.run_id})
            leave(deps, "run", pick.run_id, exc)


async def _judge(deps: Deps, run_id: str) -> None:
    """Refuse a run that can never start; the others need not be looked at again until their pipeline changes."""
    open_run = deps.state.runs.table.get(run_id)
    if open_run is None or deps.own_writes.awaits(run_id, deps.state.seq):
        return
    request = open_run.request
    refusal = rejection_of(
        request,
        deps.state.pipelines.get(request.pipeline),
        version=deps.state.pipelines.version(request),
        missing=retold(open_run.missing, open_run.missing_message) if open_run.missing else None,
    )
    if refusal is None:
        deps.state.runs.to_judge.discard(run_id)
    else:
        await _reject(deps, run_id, refusal)


async def _start_or_refuse(deps: Deps, pick: Pick) -> bool:
    """Do with the next run what has to be done; False when leadership is in doubt."""
    runs = deps.state.runs
    open_run = runs.table.get(pick.run_id)
    lane = runs.run_queue.lane_of(pick.run_id)
    if open_run is None or lane is None or deps.own_writes.awaits(pick.run_id, deps.state.seq):
        runs.run_queue.remove(pick.run_id)
        return True
    if pick.blocked is not None:
        definition = deps.state.pipelines.definition(lane.pipeline)
        skip = definition is not None and definition.on_limit == "skip"
        refusal = Refusal(reason="skipped" if skip else "limit", detail=pick.blocked.reason)
        return await _out_of_the_queue(deps, pick.run_id, refusal)
    specification = open_run.run.specification
    if specification is None:
        version = deps.state.pipelines.version(open_run.request)
        assert version is not None
        frozen = freeze(open_run.request, version, deps.settings.defaults, deps.state.secrets.versions())
        if isinstance(frozen, Refusal):
            return await _out_of_the_queue(deps, pick.run_id, frozen)
        specification = frozen
    command = DispatchAttempt(pool=lane.pool, group=lane.group, term=deps.leadership.term, specification=specification)
    return await _dispatch(deps, pick.run_id, lane, command)


async def _dispatch(deps: Deps, run_id: str, lane: Lane, command: DispatchAttempt) -> bool:
    """Append a dispatch under our lease; the place is taken before anybody knows whether it was stored."""
    runs, lease = deps.state.runs, deps.leadership.lease
    if lease is None:
        return False
    runs.reserve(run_id, lane)
    try:
        seq = await append(deps, run_id, command, guard=lease)
    except ConcurrencyError:
        deps.leadership.step_down("a newer term stands in the log")
        runs.dispatched(run_id, 0)
        runs.sort(run_id)
        return False
    except InfrastructureError as exc:
        deps.leadership.step_down(f"it is unknown whether a dispatch was stored: {exc}")
        return False
    except ContractError as exc:
        runs.dispatched(run_id, 0)
        refusal = Refusal(reason="invalid_definition", detail=Unwritable(exc.statement))
        return await _out_of_the_queue(deps, run_id, refusal)
    runs.dispatched(run_id, seq)
    return True


async def _out_of_the_queue(deps: Deps, run_id: str, refusal: Refusal) -> bool:
    """Refuse a run that was at the head of the queue."""
    deps.state.runs.run_queue.remove(run_id)
    try:
        await _reject(deps, run_id, refusal)
    except InfrastructureError:
        deps.state.runs.sort(run_id)
        raise
    return True


async def _reject(deps: Deps, run_id: str, refusal: Refusal) -> None:
    await append(deps, run_id, RejectRun(reason=refusal.reason, detail=refusal.detail))

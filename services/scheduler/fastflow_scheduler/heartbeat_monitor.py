"""The loops that listen: whose slots there are, whose attempts are lost, whether the log has room for new runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from fastflow_events.aggregates.run.commands import Holder, LoseAttempt
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.leases import Heartbeat
from fastflow_events.nats.usage import LogUsage
from fastflow_events.service.tasks import turned
from fastflow_rules.liveness import Liveness
from fastflow_rules.queue.capacity import too_full
from fastflow_rules.queue.pools import LiveRunner

from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers.appending import append, each

logger = logging.getLogger(__name__)

LISTEN_EVERY_S = 1.0
IDLE_EVERY_S = 5.0
"""The same while nothing is in hand and nothing waits; a third of the time after which a silent runner is gone."""


async def watch(
    deps: Deps,
    heartbeats: Callable[[], Awaitable[Mapping[str, Heartbeat]]],
    liveness: Liveness,
    steady: Callable[[], float],
    changed: asyncio.Event,
) -> None:
    """Listen until cancelled; `steady` is a clock that nobody can set, in seconds."""
    last: dict[Holder, datetime] = {}
    while True:
        now = steady()
        try:
            alive = await heartbeats()
            listen(deps.state, alive, liveness, now, changed)
            last |= {holder_of(beat): beat.at for beat in alive.values()}
            await give_up(deps, last, {holder_of(beat) for beat in alive.values()}, liveness, now)
        except InfrastructureError as exc:
            liveness.deaf()
            logger.warning("cannot hear the runners: %s", exc, extra={"action": "deaf"})
        turned()
        await asyncio.sleep(pause_s(deps.state))


def pause_s(state: SchedulerState) -> float:
    """Seconds until runners should be listened for again: soon where a slot, or the loss of one, is waited for."""
    runs = state.runs
    idle = runs.capacity.pools.runners and not runs.claimed and not runs.run_queue
    return IDLE_EVERY_S if idle else LISTEN_EVERY_S


async def mind_the_log(state: SchedulerState, fill: Callable[[], Awaitable[LogUsage]], changed: asyncio.Event) -> None:
    """Start nothing new while the log or its disk is nearly full, until cancelled."""
    while True:
        hold_admission(state, await fill(), changed)
        turned()
        await asyncio.sleep(pause_s(state))


def hold_admission(state: SchedulerState, fill: LogUsage, changed: asyncio.Event) -> None:
    """Start nothing new, or go on, as the log has room."""
    capacity, reason = state.runs.capacity, too_full(*fill)
    if reason is not None and capacity.hold_reason is None:
        logger.error("nothing new is started: %s", reason, extra={"action": "log_nearly_full", **fill._asdict()})
    if (reason is None) != (capacity.hold_reason is None):
        changed.set()
    capacity.hold_reason = reason


def listen(
    state: SchedulerState, alive: Mapping[str, Heartbeat], liveness: Liveness, now: float, changed: asyncio.Event
) -> None:
    """Learn whose slots there are."""
    liveness.heard((holder_of(beat) for beat in alive.values()), now)
    capacity = state.runs.capacity
    runners = {name: LiveRunner(slots=beat.slots, pools=beat.pools) for name, beat in alive.items()}
    if runners != capacity.pools.runners:
        capacity.set_runners(runners)
        changed.set()


async def give_up(
    deps: Deps, last: dict[Holder, datetime], living: set[Holder], liveness: Liveness, now: float
) -> None:
    """Say that attempts are lost whose holder has been silent for too long; `last` has everybody's last heartbeat."""
    holders = {}
    for run_id in list(deps.state.runs.claimed):
        open_run = deps.state.runs.table.get(run_id)
        if open_run is not None and open_run.run.holder is not None:
            holders[run_id] = open_run.run.holder
    liveness.forget({*holders.values(), *living})
    for gone in last.keys() - {*holders.values(), *living}:
        del last[gone]
    for run_id, holder in holders.items():
        if holder in living:
            continue
        lost_at = liveness.lost_at(holder)
        open_run = deps.state.runs.table.get(run_id)
        if lost_at is not None and now >= lost_at and open_run is not None:
            command = LoseAttempt(attempt=open_run.run.attempt, last_heartbeat=last.get(holder))
            await each(deps, "run", [run_id], lambda id, lost=command: append(deps, id, lost))  # type: ignore[misc]


def holder_of(beat: Heartbeat) -> Holder:
    """The process that a heartbeat speaks for."""
    return Holder(runner=beat.runner, incarnation=beat.incarnation, engine=beat.engine)

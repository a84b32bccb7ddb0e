"""What waits, in which order and for what: the rules of the scheduler over the rows of the read model."""

from datetime import datetime

import msgspec
from fastflow_events.queue.events import QUEUE, QueueLeased
from fastflow_events.setting.decider import setting_decider
from fastflow_events.setting.events import MAIN
from fastflow_events.topology import DEFAULT_POOL
from fastflow_rules.admission import Lane, Order, Pipeline, lane, order
from fastflow_rules.definition import from_fact
from fastflow_rules.places import Places, Seat
from fastflow_rules.pools import LiveRunner
from msgspec import Struct

from fastflow_gateway.deps import Deps
from fastflow_gateway.views.runs import RunRow

ALL = 1_000_000
BLOCKERS = 20
DISPATCHED = "waiting for a runner"


class WaitingRun(Struct, frozen=True, kw_only=True):
    """A run in the queue."""

    id: str
    pipeline: str
    position: int
    """Counting from 1."""
    priority: int
    since: str
    waiting_for: str
    blockers: tuple[str, ...] = ()
    """Runs whose end would free what it waits for; at most twenty."""


async def waiting(deps: Deps) -> list[WaitingRun]:
    """Everybody in the queue, in the order in which they start if all want the same."""
    rows = await deps.rows.runs(pipeline=None, statuses=["queued", "preparing", "running"], before_seq=None, limit=ALL)
    pipelines = {name: await _pipeline(deps, name) for name in {row.pipeline for row in rows}}
    places, ageing_s = await _places(deps, pipelines)
    queue: list[tuple[Order, RunRow, Lane]] = []
    for row in rows:
        mine = lane(row.pipeline, pipelines[row.pipeline], None, DEFAULT_POOL)
        if row.status != "queued" or row.reason == DISPATCHED:
            seat = Seat(pipeline=row.pipeline, group=mine.group, pool=mine.pool, runner=row.runner or "nobody")
            places.sit(row.id, seat)
        else:
            since = datetime.fromisoformat(row.due or row.requested_at)
            place = order(since=since, seq=row.requested_seq, priority=row.priority, ageing_s=ageing_s)
            queue.append((place, row, mine))
    queue.sort(key=lambda entry: entry[0])
    return [_shown(n, row, mine, places) for n, (_, row, mine) in enumerate(queue, start=1)]


def _shown(position: int, row: RunRow, mine: Lane, places: Places) -> WaitingRun:
    blocked = places.blocked(mine)
    reason = f"a free slot of a live runner of pool {mine.pool}, or its code"
    return WaitingRun(
        id=row.id,
        pipeline=row.pipeline,
        position=position,
        priority=row.priority,
        since=row.due or row.requested_at,
        waiting_for=blocked.reason if blocked else reason,
        blockers=tuple(places.holders(blocked.resource)[:BLOCKERS]) if blocked else (),
    )


async def _pipeline(deps: Deps, name: str) -> Pipeline | None:
    row = await deps.rows.pipeline(name)
    if row is None:
        return None
    said = msgspec.json.decode(row.definition)
    return Pipeline(definition=from_fact(said) if said else None, paused=bool(row.paused), commit=row.commit_sha)


async def _places(deps: Deps, pipelines: dict[str, Pipeline | None]) -> tuple[Places, float]:
    """The places as the leader of the newest term said them, and how much waiting counts."""
    leases = [f for f in (await deps.log.load("queue", QUEUE)).facts if isinstance(f, QueueLeased)]
    newest = leases[-1] if leases else QueueLeased(term=0, leader="")
    places = Places(newest.max_running or ALL)
    places.paused = setting_decider.fold((await deps.log.load("settings", MAIN)).facts).paused
    pools = {DEFAULT_POOL}
    for name, pipeline in pipelines.items():
        said = pipeline.definition if pipeline else None
        pools.add((said.pool if said else None) or DEFAULT_POOL)
        places.set_pipeline(
            name,
            paused=pipeline.paused if pipeline else False,
            max_instances=said.max_instances if said else None,
            group=said.concurrency_group if said else None,
            group_limit=said.concurrency_limit if said else None,
        )
    places.set_runners({"everybody": LiveRunner(slots=ALL, pools=tuple(sorted(pools)))})
    return places, newest.ageing_s or 60.0

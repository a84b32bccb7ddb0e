"""What waits, in which order and for what: the rules of the scheduler over the rows of the read model."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import msgspec
from fastflow_events.message import Message, Statement
from fastflow_events.nats.leases import Heartbeat
from fastflow_events.nats.topology import DEFAULT_POOL
from fastflow_rules.queue.admission import Lane, Order, Pipeline, lane, order
from fastflow_rules.queue.capacity import Capacity, Resource, Slot, too_full
from fastflow_rules.queue.pools import LiveRunner
from fastflow_rules.queue.waits import Code, Nothing
from msgspec import Struct

from fastflow_gateway.core.moments import LongAgoError, RunnersUnknown
from fastflow_gateway.core.typed import InstantText
from fastflow_gateway.core.views.installation import QueueRow
from fastflow_gateway.core.views.runs import RunRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.pipelines import known_definition
from fastflow_gateway.ports import ReadModel

ALL = 1_000_000
BLOCKERS = 20
AGEING_S = 60.0
"""Where no leader has said how much waiting counts."""
NO_LEASE = QueueRow(id="", seq=0, term=0, leader="", leased_at="")


class WaitingRun(Struct, frozen=True, kw_only=True):
    """A run in the queue."""

    id: str
    pipeline: str
    position: int
    """Counting from 1."""
    priority: int
    since: InstantText
    waiting_for: str
    waiting_for_message: Message
    blockers: tuple[str, ...] = ()
    """Runs whose end would free what it waits for; at most twenty."""


def in_queue(row: RunRow, now: datetime) -> bool:
    """Whether the run waits for a place: it was never admitted, or its next attempt is due."""
    if row.status == "waiting":
        return row.due is None or datetime.fromisoformat(row.due) <= now
    return row.status == "queued" and not row.dispatched


async def waiting(deps: Deps) -> list[WaitingRun]:
    """Everybody in the queue, in the order in which they start if all want the same.

    Raises:
        InfrastructureError: the bus did not answer.
    """
    now = deps.clock()
    rows = await deps.rows.open_runs()
    pipelines = {name: await _pipeline(deps.rows, name) for name in {row.pipeline for row in rows}}
    lease = await deps.rows.queue_lease() or NO_LEASE
    alive = await _alive(deps.heartbeats)
    capacity = await _places(deps, lease, pipelines, alive or {})
    queue: list[tuple[Order, RunRow, Lane]] = []
    for row in rows:
        mine = lane(row.pipeline, pipelines[row.pipeline], None, lease.default_pool or DEFAULT_POOL)
        if in_queue(row, now):
            since = datetime.fromisoformat(row.due or row.requested_at)
            place = order(
                since=since, seq=row.requested_seq, priority=row.priority, ageing_s=lease.ageing_s or AGEING_S
            )
            queue.append((place, row, mine))
        elif row.status != "waiting":
            runner = None if row.dispatched else row.runner or "nobody"
            capacity.acquire(row.id, Slot(pipeline=row.pipeline, group=mine.group, pool=mine.pool, runner=runner))
    queue.sort(key=lambda entry: entry[0])
    sight = _Sight(deps, capacity, pipelines, knows_runners=alive is not None)
    return [await sight.of(n, row, mine) for n, (_, row, mine) in enumerate(queue, start=1)]


class _Sight:
    """What each run waits for, in one state of affairs; what is the same for many is looked up once."""

    def __init__(
        self, deps: Deps, capacity: Capacity, pipelines: Mapping[str, Pipeline | None], *, knows_runners: bool
    ) -> None:
        self._deps = deps
        self._knows_runners = knows_runners
        self._places = capacity
        self._heads = {name: pipeline.commit if pipeline else "" for name, pipeline in pipelines.items()}
        self._stored: dict[str, set[str]] = {}
        self._holders: dict[Resource, tuple[str, ...]] = {}

    async def of(self, position: int, row: RunRow, mine: Lane) -> WaitingRun:
        """One run in the queue."""
        blocked = self._places.blocked(mine)
        reason: Statement = blocked.reason if blocked else Nothing()
        blockers = self._blockers(blocked.resource) if blocked else ()
        if blocked and blocked.resource[0] == "pool" and not self._knows_runners:
            reason, blockers = RunnersUnknown(), ()
        if row.attempt == 0 and not await self._has_code(row):
            reason, blockers = Code((row.commit_sha or "")[:10]), ()
        return WaitingRun(
            id=row.id,
            pipeline=row.pipeline,
            position=position,
            priority=row.priority,
            since=row.due or row.requested_at,
            waiting_for=str(reason),
            waiting_for_message=reason.message,
            blockers=blockers,
        )

    def _blockers(self, resource: Resource) -> tuple[str, ...]:
        if resource not in self._holders:
            self._holders[resource] = tuple(self._places.holders(resource)[:BLOCKERS])
        return self._holders[resource]

    async def _has_code(self, row: RunRow) -> bool:
        """Whether the run's commit is stored; one that is not at the head is looked up."""
        if row.commit_sha is None or row.commit_sha == self._heads.get(row.pipeline):
            return True
        if row.pipeline not in self._stored:
            stored = await self._deps.rows.versions(row.pipeline)
            self._stored[row.pipeline] = {version.commit_sha for version in stored}
        return row.commit_sha in self._stored[row.pipeline]


async def _pipeline(rows: ReadModel, name: str) -> Pipeline | None:
    row = await rows.pipeline(name)
    if row is None:
        return None
    definition = msgspec.json.decode(row.definition)
    return Pipeline(definition=known_definition(definition), paused=bool(row.paused), commit=row.commit_sha)


async def _alive(heartbeats: Callable[[], Awaitable[Mapping[str, Heartbeat]]]) -> Mapping[str, Heartbeat] | None:
    """Every runner that is alive; None of the past, where nobody knows."""
    try:
        return await heartbeats()
    except LongAgoError:
        return None


async def _places(
    deps: Deps, lease: QueueRow, pipelines: Mapping[str, Pipeline | None], alive: Mapping[str, Heartbeat]
) -> Capacity:
    """The places that there are, and who may have them."""
    capacity = Capacity(lease.max_running or ALL)
    capacity.hold_reason = too_full(*await deps.log_fill())
    settings = await deps.rows.settings()
    capacity.paused = bool(settings and settings.paused)
    for name, pipeline in pipelines.items():
        if deps.log.doubts.why("pipeline", name):
            capacity.doubt(name)
        definition = pipeline.definition if pipeline else None
        capacity.set_pipeline(
            name,
            paused=pipeline.paused if pipeline else False,
            max_instances=definition.max_instances if definition else None,
            group=definition.concurrency_group if definition else None,
            group_limit=definition.concurrency_limit if definition else None,
        )
    capacity.set_runners({name: LiveRunner(slots=beat.slots, pools=beat.pools) for name, beat in alive.items()})
    return capacity

"""The places that attempts take: over all, of a pipeline, of a concurrency group, of a pool's live runners.

A fold, kept up to date step by step: whoever takes or leaves a place costs the same, however many others there are.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from fastflow_events.message import Statement
from msgspec import Struct

from fastflow_rules.queue.admission import Lane
from fastflow_rules.queue.pools import LiveRunner, Pools
from fastflow_rules.queue.waits import (
    DiskFull,
    EverythingPaused,
    GroupLimit,
    LogFull,
    NoRunner,
    NoSlot,
    PipelineDoubted,
    PipelineLimit,
    PipelinePaused,
    PlacesTaken,
)

Resource: TypeAlias = tuple[str, str]
"""What a lane can be short of: `("pipeline", name)`, `("group", name)`, `("pool", name)` or `EVERYTHING`."""
EVERYTHING: Resource = ("all", "")


FULL = 0.9
"""Share of the log from which on nothing new is started."""
ROOM_BYTES = 256 * 1024**2
"""Free bytes of its disk below which nothing new is started."""


def too_full(share: float, room_bytes: int) -> LogFull | DiskFull | None:
    """Why nothing new is started while the log and its disk are this full; None while there is room.

    What is left is kept for ending what runs.
    """
    if share >= FULL:
        return LogFull(round(share * 100))
    if room_bytes < ROOM_BYTES:
        return DiskFull(room_bytes // 1024**2)
    return None


class Slot(Struct, frozen=True, kw_only=True):
    """The place of one run whose attempt is in hand."""

    pipeline: str
    group: str | None
    pool: str
    runner: str | None = None
    """Who claimed it; None while it waits in its pool."""


class Blocked(NamedTuple):
    """Why a lane does not move."""

    resource: Resource
    reason: Statement
    own: bool = False
    """True at a limit of the pipeline's own, where its `on_limit` counts."""


class Capacity:
    """Who sits where, and how many may."""

    def __init__(self, max_running: int) -> None:
        self.max_running = max_running
        self.paused = False
        self.hold_reason: Statement | None = None
        """Why nothing new may be started at all; None when it may."""
        self.pools = Pools()
        self.freed: set[Resource] = set()
        """What may have become free since somebody looked."""
        self._slots: dict[str, Slot] = {}
        self._by_pipeline: Counter[str] = Counter()
        self._by_group: Counter[str] = Counter()
        self._max_instances: dict[str, int] = {}
        self._group_of: dict[str, tuple[str, int | None]] = {}
        self._group_limits: dict[str, dict[str, int]] = {}
        self._paused: set[str] = set()
        self._doubted: set[str] = set()

    @property
    def taken(self) -> int:
        """Attempts in hand."""
        return len(self._slots)

    def acquire(self, run_id: str, slot: Slot) -> None:
        """Take a place, or change what is known of it."""
        self.release(run_id)
        self._slots[run_id] = slot
        self._by_pipeline[slot.pipeline] += 1
        if slot.group is not None:
            self._by_group[slot.group] += 1
        self.pools.take(slot.pool, slot.runner)

    def release(self, run_id: str) -> None:
        """Give the place back; nothing happens to a run that has none."""
        slot = self._slots.pop(run_id, None)
        if slot is None:
            return
        self._by_pipeline[slot.pipeline] -= 1
        if not self._by_pipeline[slot.pipeline]:
            del self._by_pipeline[slot.pipeline]
        self.freed |= {
            ("pipeline", slot.pipeline),
            *(("pool", name) for name in self.pools.give(slot.pool, slot.runner)),
        }
        if slot.group is not None:
            self._by_group[slot.group] -= 1
            self.freed.add(("group", slot.group))

    def holders(self, resource: Resource) -> list[str]:
        """The runs that sit on a resource, for people who want to know whom they wait for."""
        kind, name = resource
        match kind:
            case "pipeline":
                return [id for id, slot in self._slots.items() if slot.pipeline == name]
            case "group":
                return [id for id, slot in self._slots.items() if slot.group == name]
            case "pool":
                return [id for id, slot in self._slots.items() if slot.pool == name]
            case _:
                return list(self._slots)

    def set_pipeline(
        self, name: str, *, paused: bool, max_instances: int | None, group: str | None, group_limit: int | None
    ) -> None:
        """Learn what a pipeline says about its limits."""
        (self._paused.add if paused else self._paused.discard)(name)
        if max_instances is None:
            self._max_instances.pop(name, None)
        else:
            self._max_instances[name] = max_instances
        before, _ = self._group_of.pop(name, (None, None))
        if before is not None:
            self._group_limits.get(before, {}).pop(name, None)
            self.freed.add(("group", before))
        if group is not None:
            self._group_of[name] = (group, group_limit)
            if group_limit is not None:
                self._group_limits.setdefault(group, {})[name] = group_limit
            self.freed.add(("group", group))
        self.freed.add(("pipeline", name))

    def doubt(self, pipeline: str) -> None:
        """Start nothing of a pipeline of which nobody knows what its facts say."""
        self._doubted.add(pipeline)

    def set_runners(self, runners: Mapping[str, LiveRunner]) -> None:
        """Learn who is alive."""
        if runners != self.pools.runners:
            self.freed |= {("pool", name) for name in self.pools.set_runners(runners)}

    def blocked(self, lane: Lane) -> Blocked | None:
        """The first thing that keeps a run of the lane from starting now."""
        if self.hold_reason is not None:
            return Blocked(EVERYTHING, self.hold_reason)
        if self.paused:
            return Blocked(EVERYTHING, EverythingPaused())
        if len(self._slots) >= self.max_running:
            return Blocked(EVERYTHING, PlacesTaken(self.max_running))
        mine = ("pipeline", lane.pipeline)
        if lane.pipeline in self._doubted:
            return Blocked(mine, PipelineDoubted())
        if lane.pipeline in self._paused:
            return Blocked(mine, PipelinePaused())
        active, most = self._by_pipeline[lane.pipeline], self._max_instances.get(lane.pipeline)
        if most is not None and active >= most:
            return Blocked(mine, PipelineLimit(active, most), own=True)
        if lane.group is not None:
            active, limit = (
                self._by_group[lane.group],
                min(self._group_limits.get(lane.group, {}).values(), default=None),
            )
            if limit is not None and active >= limit:
                return Blocked(("group", lane.group), GroupLimit(active, limit, lane.group), own=True)
        return self._blocked_by_pool(lane.pool)

    def _blocked_by_pool(self, pool: str) -> Blocked | None:
        alive = self.pools.alive(pool)
        if not alive:
            return Blocked(("pool", pool), NoRunner(pool))
        if self.pools.free(pool) <= 0:
            return Blocked(("pool", pool), NoSlot(pool, alive))
        return None

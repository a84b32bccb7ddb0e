"""The queue of the runs that wait: in lanes, so that who cannot start now is not looked at again until he might.

A lane whose first run is short of something is parked under that thing; when the thing may be free again, only the
first lane that waits for it is looked at. One decision costs the logarithm of the queue's length.
"""

import heapq
from typing import NamedTuple

from fastflow_rules.queue.admission import Lane, Order
from fastflow_rules.queue.capacity import EVERYTHING, Blocked, Capacity, Resource


class Pick(NamedTuple):
    """The next run to decide about."""

    run_id: str
    blocked: Blocked | None
    """None: it starts. Else its pipeline does not want it to wait at this limit."""


class RunQueue:
    """Every run that waits and could start if there were places."""

    def __init__(self) -> None:
        self._where: dict[str, tuple[Lane, Order]] = {}
        self._lanes: dict[Lane, list[tuple[Order, str]]] = {}
        self._ready: list[tuple[Order, Lane]] = []
        self._parked: dict[Resource, list[tuple[Order, Lane]]] = {}
        self._parked_at: dict[Lane, Resource] = {}
        self._open: set[Resource] = set()
        self._impatient: set[str] = set()

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._where

    def set_on_limit(self, pipeline: str, *, waits: bool) -> None:
        """Say whether runs of the pipeline wait at a limit of their own."""
        (self._impatient.discard if waits else self._impatient.add)(pipeline)

    def lane_of(self, run_id: str) -> Lane | None:
        """Where a run waits; None when it does not."""
        found = self._where.get(run_id)
        return found[0] if found else None

    def add(self, run_id: str, lane: Lane, order: Order) -> None:
        """Let a run wait; one that waits already changes its place."""
        if self._where.get(run_id) == (lane, order):
            return
        self.remove(run_id)
        self._where[run_id] = (lane, order)
        heapq.heappush(self._lanes.setdefault(lane, []), (order, run_id))
        if self._lanes[lane][0] == (order, run_id):
            self._show(lane, order)

    def remove(self, run_id: str) -> None:
        """Forget a run; nothing happens when it does not wait."""
        found = self._where.pop(run_id, None)
        if found is None:
            return
        lane, _ = found
        was_first = self._lanes[lane][0][1] == run_id
        first = self._first(lane)
        if first is None:
            self._parked_at.pop(lane, None)
        elif was_first:
            self._show(lane, first[0])

    def pick(self, capacity: Capacity) -> Pick | None:
        """The next run to start or to refuse; None while nothing can be done. It stays until it is removed."""
        self._open |= {resource for resource in capacity.freed if resource in self._parked}
        capacity.freed.clear()
        while (lane := self._best(capacity)) is not None:
            _, run_id = self._lanes[lane][0]
            blocked = capacity.blocked(lane)
            if blocked is None or (blocked.own and lane.pipeline in self._impatient):
                return Pick(run_id, blocked)
            if blocked.resource == EVERYTHING:
                return None
            self._park(lane, blocked.resource)
        return None

    def waiting(self) -> list[tuple[Order, str, Lane]]:
        """Everybody, in the order in which they start if all want the same."""
        return sorted((order, run_id, lane) for run_id, (lane, order) in self._where.items())

    def _first(self, lane: Lane) -> tuple[Order, str] | None:
        """The lane's first run; what was removed or moved is dropped on the way."""
        heap = self._lanes[lane]
        while heap and self._where.get(heap[0][1]) != (lane, heap[0][0]):
            heapq.heappop(heap)
        if not heap:
            del self._lanes[lane]
            return None
        return heap[0]

    def _show(self, lane: Lane, order: Order) -> None:
        """Put the lane where it is seen, under its first run's order."""
        parked = self._parked_at.get(lane)
        heap = self._ready if parked is None else self._parked[parked]
        heapq.heappush(heap, (order, lane))

    def _park(self, lane: Lane, resource: Resource) -> None:
        order, _ = self._lanes[lane][0]
        self._parked_at[lane] = resource
        heapq.heappush(self._parked.setdefault(resource, []), (order, lane))

    def _best(self, capacity: Capacity) -> Lane | None:
        """The lane with the smallest order among those that are not parked and those whose resource is open."""
        candidates: list[tuple[Order, Lane]] = []
        if (top := self._top(self._ready, None)) is not None:
            candidates.append(top)
        for resource in list(self._open):
            top = self._top(self._parked.get(resource, []), resource)
            if top is None:
                self._parked.pop(resource, None)
                self._open.discard(resource)
                continue
            still = capacity.blocked(top[1])
            if still is not None and still.resource == resource and top[1].pipeline not in self._impatient:
                self._open.discard(resource)
            else:
                candidates.append(top)
        if not candidates:
            return None
        _, lane = min(candidates)
        if self._parked_at.pop(lane, None) is not None:
            self._show(lane, self._lanes[lane][0][0])
        return lane

    def _top(self, heap: list[tuple[Order, Lane]], resource: Resource | None) -> tuple[Order, Lane] | None:
        """The first entry of a heap that still tells the truth."""
        while heap:
            order, lane = heap[0]
            if lane in self._lanes and self._parked_at.get(lane) == resource and self._lanes[lane][0][0] == order:
                return heap[0]
            heapq.heappop(heap)
        return None

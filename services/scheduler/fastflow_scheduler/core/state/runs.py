"""The runs that are not over, each where it belongs: in the queue, in a place, on the agenda, or to be concluded."""

from datetime import datetime

from fastflow_events.aggregates.run.events import (
    RunAttemptFinished,
    RunCancelRequested,
    RunDispatched,
    RunDispatchWithdrawn,
    RunHurried,
    RunLost,
    RunPrioritised,
    RunRequested,
    RunRetryScheduled,
)
from fastflow_events.aggregates.run.state import HELD, OVER, UNCLAIMED, Run, counts, evolve
from fastflow_events.instants import later
from fastflow_events.message import Statement, beside
from fastflow_events.recorded import Position, Recorded
from fastflow_rules.queue.admission import Lane, lane, order
from fastflow_rules.queue.capacity import Capacity, Slot
from msgspec.structs import replace

from fastflow_scheduler.core.agenda import Agenda, Entry
from fastflow_scheduler.core.run_queue import RunQueue
from fastflow_scheduler.core.state.dirty_table import DirtyTable
from fastflow_scheduler.core.state.limits import Limits
from fastflow_scheduler.core.state.pipelines import Pipelines
from fastflow_scheduler.core.state.records import OpenRun

IN_HAND = frozenset({"dispatched", "claimed", "started", "ended"})
"""Phases in which an attempt takes one of the places."""
ACTIVE = IN_HAND | {"waiting"}
"""The same, and those that wait for a retry: what a restart by the clock ends."""
UNKNOWN = 2**63
"""Position of an append that was never answered."""


class Runs:
    """Every open run, and the lists it is in."""

    def __init__(self, limits: Limits, pipelines: Pipelines, agenda: Agenda) -> None:
        self.table = DirtyTable("run", OpenRun)
        self.run_queue = RunQueue()
        self.capacity = Capacity(limits.max_running)
        self.to_end: set[str] = set()
        """Their attempt ended, or they were cancelled and nobody holds them."""
        self.to_judge: set[str] = set()
        """Whether they can ever start has to be looked at."""
        self.to_replace: set[str] = set()
        """To be cancelled, because a schedule replaces all runs of their pipeline by a new one."""
        self.claimed: set[str] = set()
        """Claimed or started."""
        self.of_pipeline: dict[str, dict[str, None]] = {}
        self._limits = limits
        self._pipelines = pipelines
        self._agenda = agenda
        self._fetching: dict[tuple[str, str | None], set[str]] = {}
        self._reserved: dict[str, int] = {}
        self._doubted: set[str] = set()

    def fold(self, recorded: Recorded, clock: datetime) -> OpenRun | None:
        """Fold one fact; returns the run as it is now, also when it is over, None when it was over before."""
        id, fact = recorded.id, recorded.fact
        known = self.table.get(id)
        if isinstance(fact, RunRequested) and known is None:
            known = OpenRun(
                run=Run(),
                request=fact,
                position=Position(aggregate="run", id=id),
                cause=recorded.because(),
                requested_seq=recorded.seq,
                since=clock,
                touched_at=recorded.told_at,
                priority=fact.priority,
            )
            self.of_pipeline.setdefault(fact.pipeline, {})[id] = None
        if known is None:
            return None
        if self._reserved.get(id, UNKNOWN) <= recorded.seq:
            del self._reserved[id]
        now = _learned(known, recorded)
        if now.run.phase in OVER:
            self._forget(id, now)
        else:
            self.table.put(id, now)
            self.sort(id)
        return now

    def sort(self, id: str) -> None:
        """Put a run into the lists it belongs to, and out of all others."""
        open_run = self.table.get(id)
        if open_run is None or id in self._doubted:
            return
        run, phase = open_run.run, open_run.run.phase
        self._set(self.claimed, id, phase in HELD)
        self._set(self.to_end, id, phase == "ended" or bool(run.cancelled and phase in UNCLAIMED))
        self._set(self.to_replace, id, bool(open_run.to_replace and not run.cancelled and phase in ACTIVE))
        limit = later(open_run.touched_at, self._limits.claim_within.total_seconds())
        claim = limit if phase == "dispatched" and not run.cancelled else None
        self._agenda.set(Entry("claim", id), claim)
        self._agenda.set(Entry("retry", id), open_run.due if phase == "waiting" and not run.cancelled else None)
        if phase in IN_HAND:
            runner = run.holder.runner if run.holder and phase != "dispatched" else None
            slot = Slot(pipeline=open_run.request.pipeline, group=open_run.group, pool=open_run.pool, runner=runner)
            self.capacity.acquire(id, slot)
        elif id not in self._reserved:
            self.capacity.release(id)
        queued = not run.cancelled and (phase == "queued" or (phase == "waiting" and open_run.due is None))
        self._wait(id, open_run, queued and id not in self._reserved)

    def _wait(self, id: str, open_run: OpenRun, waits: bool) -> None:
        """Let it wait in its lane, or for its code; or take it out of both."""
        request = open_run.request
        version = self._pipelines.version(request)
        ready = open_run.run.specification is not None or version is not None
        self._set(self._fetching.setdefault((request.pipeline, request.commit), set()), id, waits and not ready)
        if not self._fetching[(request.pipeline, request.commit)]:
            del self._fetching[(request.pipeline, request.commit)]
        self._set(self.to_judge, id, waits and open_run.run.specification is None)
        if not (waits and ready):
            self.run_queue.remove(id)
            return
        head = self._pipelines.get(request.pipeline)
        mine = lane(request.pipeline, head, version, self._limits.default_pool)
        place = order(
            since=open_run.since,
            seq=open_run.requested_seq,
            priority=open_run.priority,
            ageing_s=self._limits.ageing_s,
        )
        self.run_queue.add(id, mine, place)

    def replace_all(self, pipeline: str, schedule: str, nominal: datetime) -> None:
        """One run of the pipeline was cancelled to be replaced: all others in hand are, whoever dies in between."""
        for id in list(self.of_pipeline.get(pipeline, ())):
            open_run = self.table.get(id)
            if open_run is not None and open_run.run.phase in ACTIVE and not open_run.run.cancelled:
                self.table.put(id, replace(open_run, to_replace=(schedule, nominal)))
                self.sort(id)

    def code_arrived(self, pipeline: str, commit: str, *, missing: Statement | None = None) -> None:
        """Its code, or the news that there will be none, has come for all runs that wait for it."""
        for id in list(self._fetching.get((pipeline, commit), ())):
            open_run = self.table.get(id)
            if open_run is not None:
                self.table.put(id, replace(open_run, missing=str(missing or ""), missing_message=beside(missing)))
                self.sort(id)

    def retry_is_due(self, id: str) -> None:
        """The wait of a retry is over; it queues from the instant it was due."""
        open_run = self.table.get(id)
        if open_run is not None and open_run.run.phase == "waiting" and open_run.due is not None:
            self.table.put(id, replace(open_run, due=None, since=max(open_run.due, open_run.since)))
            self.sort(id)

    def reserve(self, id: str, lane: Lane) -> None:
        """We are dispatching it: it has its place until the state knows what became of it."""
        self._reserved[id] = UNKNOWN
        self.run_queue.remove(id)
        self.capacity.acquire(id, Slot(pipeline=lane.pipeline, group=lane.group, pool=lane.pool))

    def dispatched(self, id: str, seq: int) -> None:
        """The dispatch is stored at `seq`; 0 says that it was refused, so the place is free."""
        if id not in self._reserved:
            return  # the state was faster
        if seq:
            self._reserved[id] = seq
        else:
            del self._reserved[id]
            self.capacity.release(id)

    def know_all(self) -> None:
        """Everything that was ever appended under an earlier term is in the state now: give back what is in doubt."""
        doubtful, self._reserved = self._reserved, {}
        for id in doubtful:
            self.capacity.release(id)
            self.sort(id)

    def resort_all(self) -> None:
        """Compute every list anew from the runs alone."""
        for id, open_run in self.table.items():
            self.of_pipeline.setdefault(open_run.request.pipeline, {})[id] = None
            self.sort(id)

    def doubt(self, id: str) -> None:
        """Nothing is decided about it any more, and it takes no place: its runner leaves it, too."""
        self._doubted.add(id)
        open_run = self.table.get(id)
        if open_run is not None:
            self._out_of_all(id, open_run)

    def _out_of_all(self, id: str, open_run: OpenRun) -> None:
        self._reserved.pop(id, None)
        self.capacity.release(id)
        self._wait(id, open_run, waits=False)
        for several in (self.to_end, self.to_replace, self.claimed):
            several.discard(id)
        for kind in ("claim", "retry"):
            self._agenda.set(Entry(kind, id), None)

    def _forget(self, id: str, open_run: OpenRun) -> None:
        self.table.drop(id)
        self._out_of_all(id, open_run)
        of_pipeline = self.of_pipeline.get(open_run.request.pipeline, {})
        of_pipeline.pop(id, None)
        if not of_pipeline:
            self.of_pipeline.pop(open_run.request.pipeline, None)

    @staticmethod
    def _set(several: set[str], id: str, member: bool) -> None:
        (several.add if member else several.discard)(id)


def _learned(known: OpenRun, recorded: Recorded) -> OpenRun:
    """The run after one more fact."""
    fact = recorded.fact
    position = Position(aggregate="run", id=recorded.id, seq=recorded.seq, version=known.position.version + 1)
    if not counts(known.run, fact):
        return replace(known, position=position)
    run = evolve(known.run, fact)
    now = replace(known, run=run, position=position, cause=recorded.because(), touched_at=recorded.told_at)
    match fact:
        case RunDispatched() if run.phase == "dispatched":
            return replace(now, pool=fact.pool, group=fact.group, due=None)
        case RunDispatchWithdrawn():
            return replace(now, due=None)
        case RunPrioritised():
            return replace(now, priority=fact.priority)
        case RunHurried() if run.phase == "waiting":
            return replace(now, due=None, since=max(now.since, recorded.told_at))
        case RunRetryScheduled():
            return replace(now, due=fact.due, since=fact.due)
        case RunLost():
            return replace(now, lost=known.lost + 1)
        case RunAttemptFinished():
            return replace(now, route=fact.route, result=fact.result)
        case RunCancelRequested() if fact.kind == "restart" and fact.schedule and fact.nominal:
            return replace(now, replaced_by=(fact.schedule, fact.nominal))
        case _:
            return now

"""The backfills under way: never more of their runs open than each of them wants."""

from fastflow_events.aggregates.backfill.events import BackfillCancelled, BackfillRequested
from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.ids import run_id_of_backfill
from fastflow_events.recorded import Recorded
from msgspec.structs import replace

from fastflow_scheduler.core.state.dirty_table import DirtyTable
from fastflow_scheduler.core.state.pending_runs import PendingRuns
from fastflow_scheduler.core.state.records import Backfilling, OfBackfill, Progress


class Backfills:
    """By id."""

    def __init__(self, pending_runs: PendingRuns) -> None:
        self.table = DirtyTable("backfill", Backfilling)
        self.progress = DirtyTable("backfill_progress", Progress)
        self.open = DirtyTable("backfill_run", OfBackfill)
        self.to_cancel: dict[str, str] = {}
        """Open runs of cancelled backfills, with who cancelled them."""
        self._wishes = pending_runs
        self._open: dict[str, dict[str, None]] = {}

    def fold(self, recorded: Recorded) -> None:
        """Fold one fact about a backfill."""
        fact, id = recorded.fact, recorded.id
        known = self.table.get(id)
        if isinstance(fact, BackfillRequested) and known is None:
            started = Backfilling(
                pipeline=fact.pipeline,
                schedule=fact.schedule,
                instants=fact.instants,
                concurrency=fact.concurrency,
                cause=recorded.because(),
                run_config_id=fact.run_config_id,
                params=fact.params,
                commit=fact.commit,
                priority=fact.priority,
                who=fact.who,
            )
            self.table.put(id, started)
            self._go_on(id, started)
        elif isinstance(fact, BackfillCancelled) and known is not None:
            for run_id in self._open.get(id, ()):
                self._wishes.drop(run_id)
                self.to_cancel[run_id] = fact.who
            self.table.put(id, replace(known, instants=(), cancelled=fact.who or "somebody"))

    def requested(self, run_id: str, request: RunRequested) -> None:
        """A run was asked for; one of a cancelled backfill is cancelled in its turn."""
        backfill = self.table.get(request.trigger.backfill or "")
        if backfill is not None and backfill.cancelled:
            self.to_cancel[run_id] = backfill.cancelled

    def over(self, run_id: str, request: RunRequested) -> None:
        """A run is over: ask for the next one."""
        self.to_cancel.pop(run_id, None)
        id = request.trigger.backfill or ""
        backfill = self.table.get(id)
        if backfill is not None and self.open.drop(run_id) is not None:
            self._open.get(id, {}).pop(run_id, None)
            self._go_on(id, backfill)

    def rebuild(self) -> None:
        """Compute everything else from what is written down."""
        self._open, self.to_cancel = {}, {}
        for run_id, run in self.open.items():
            self._open.setdefault(run.backfill, {})[run_id] = None
            backfill = self.table.get(run.backfill)
            if backfill is not None and backfill.cancelled:
                self.to_cancel[run_id] = backfill.cancelled

    def _go_on(self, id: str, backfill: Backfilling) -> None:
        """Wish for as many runs as may be open; forget a backfill of which nothing is left."""
        open, done = self._open.setdefault(id, {}), (self.progress.get(id) or Progress()).done
        while done < len(backfill.instants) and len(open) < backfill.concurrency:
            nominal = backfill.instants[done]
            run_id = run_id_of_backfill(id, nominal)
            trigger = Trigger(
                kind="backfill", who=backfill.who, schedule=backfill.schedule, nominal=nominal, backfill=id
            )
            request = RunRequested(
                pipeline=backfill.pipeline,
                trigger=trigger,
                commit=backfill.commit,
                run_config_id=backfill.run_config_id,
                params=backfill.params,
                priority=backfill.priority,
            )
            self._wishes.add(run_id, request, backfill.cause)
            done += 1
            open[run_id] = None
            self.open.put(run_id, OfBackfill(backfill=id))
        self.progress.put(id, Progress(done=done))
        if done < len(backfill.instants) or open or backfill.cancelled:
            return
        del self._open[id]
        self.progress.drop(id)
        self.table.drop(id)

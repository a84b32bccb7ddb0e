"""Runs that have to be asked for."""

from datetime import datetime

from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.recorded import Cause

from fastflow_scheduler.core.agenda import Agenda, Entry
from fastflow_scheduler.core.state.dirty_table import DirtyTable
from fastflow_scheduler.core.state.records import PendingRun


class PendingRuns:
    """By their ids."""

    def __init__(self, agenda: Agenda) -> None:
        self.table = DirtyTable("pending_run", PendingRun)
        self.due: dict[str, None] = {}
        """Those whose time has come, oldest first."""
        self._agenda = agenda
        self._of_pipeline: dict[str, set[str]] = {}
        self._held: set[str] = set()
        """Runs, pipelines (`p <name>`) and backfills (`b <id>`) of which nothing is asked for."""

    def add(
        self, run_id: str, request: RunRequested, cause: Cause, *, due: datetime | None = None, daemon: bool = False
    ) -> None:
        """Keep a run in mind; doing so again moves its instant."""
        self.table.put(run_id, PendingRun(request=request, cause=cause, due=due, daemon=daemon))
        self._sort(run_id)

    def drop(self, run_id: str) -> None:
        """The log holds the run, or nobody wants it any more."""
        pending = self.table.drop(run_id)
        if pending is not None:
            self.due.pop(run_id, None)
            self._agenda.set(Entry("pending_run", run_id), None)
            self._of_pipeline.get(pending.request.pipeline, set()).discard(run_id)

    def is_due(self, run_id: str) -> None:
        """Its instant has come."""
        pending = self.table.get(run_id)
        if pending is not None and not self._is_held(run_id, pending):
            self.due[run_id] = None

    def of_pipeline(self, name: str) -> list[tuple[str, PendingRun]]:
        """Those of a pipeline."""
        found = ((id, self.table.get(id)) for id in sorted(self._of_pipeline.get(name, ())))
        return [(id, pending) for id, pending in found if pending is not None]

    def hold(self, run_id: str) -> None:
        """Do not ask for this run: what the log holds of it cannot be trusted."""
        self._held.add(run_id)
        self._sort_all()

    def hold_pipeline(self, name: str) -> None:
        """Nor for runs of this pipeline."""
        self._held.add(f"p {name}")
        self._sort_all()

    def hold_backfill(self, id: str) -> None:
        """Nor for those of this backfill."""
        self._held.add(f"b {id}")
        self._sort_all()

    def rebuild(self) -> None:
        """Compute everything else from the records alone."""
        self.due, self._of_pipeline = {}, {}
        self._sort_all()

    def _sort_all(self) -> None:
        for run_id in self.table:
            self._sort(run_id)

    def _is_held(self, run_id: str, pending: PendingRun) -> bool:
        request = pending.request
        return not self._held.isdisjoint((run_id, f"p {request.pipeline}", f"b {request.trigger.backfill}"))

    def _sort(self, run_id: str) -> None:
        pending = self.table.get(run_id)
        assert pending is not None
        self._of_pipeline.setdefault(pending.request.pipeline, set()).add(run_id)
        held = self._is_held(run_id, pending)
        self._agenda.set(Entry("pending_run", run_id), None if held else pending.due)
        if pending.due is None and not held:
            self.due[run_id] = None
        else:
            self.due.pop(run_id, None)

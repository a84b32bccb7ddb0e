"""Runs that have to be asked for."""

from datetime import datetime

from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.recorded import Cause

from fastflow_scheduler.core.agenda import Agenda, Entry
from fastflow_scheduler.core.state.kept import Wish
from fastflow_scheduler.core.state.shelf import Shelf


class Wishes:
    """By the id of the run they wish for."""

    def __init__(self, agenda: Agenda) -> None:
        self.shelf = Shelf("wish", Wish)
        self.due: dict[str, None] = {}
        """Those whose time has come, oldest first."""
        self._agenda = agenda
        self._of_pipeline: dict[str, set[str]] = {}
        self._held: set[str] = set()
        """Runs, pipelines (`p <name>`) and backfills (`b <id>`) of which nothing is asked for."""

    def add(
        self, run_id: str, request: RunRequested, cause: Cause, *, due: datetime | None = None, daemon: bool = False
    ) -> None:
        """Wish for a run; wishing again moves its instant."""
        self.shelf.put(run_id, Wish(request=request, cause=cause, due=due, daemon=daemon))
        self._sort(run_id)

    def drop(self, run_id: str) -> None:
        """The log holds the run, or nobody wants it any more."""
        wish = self.shelf.drop(run_id)
        if wish is not None:
            self.due.pop(run_id, None)
            self._agenda.set(Entry("wish", run_id), None)
            self._of_pipeline.get(wish.request.pipeline, set()).discard(run_id)

    def is_due(self, run_id: str) -> None:
        """Its instant has come."""
        wish = self.shelf.get(run_id)
        if wish is not None and not self._is_held(run_id, wish):
            self.due[run_id] = None

    def of_pipeline(self, name: str) -> list[tuple[str, Wish]]:
        """The wishes for runs of a pipeline."""
        found = ((id, self.shelf.get(id)) for id in sorted(self._of_pipeline.get(name, ())))
        return [(id, wish) for id, wish in found if wish is not None]

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
        """Compute everything else from the wishes alone."""
        self.due, self._of_pipeline = {}, {}
        self._sort_all()

    def _sort_all(self) -> None:
        for run_id in self.shelf:
            self._sort(run_id)

    def _is_held(self, run_id: str, wish: Wish) -> bool:
        request = wish.request
        return not self._held.isdisjoint((run_id, f"p {request.pipeline}", f"b {request.trigger.backfill}"))

    def _sort(self, run_id: str) -> None:
        wish = self.shelf.get(run_id)
        assert wish is not None
        self._of_pipeline.setdefault(wish.request.pipeline, set()).add(run_id)
        held = self._is_held(run_id, wish)
        self._agenda.set(Entry("wish", run_id), None if held else wish.due)
        if wish.due is None and not held:
            self.due[run_id] = None
        else:
            self.due.pop(run_id, None)

"""Runs that have to be asked for."""

from datetime import datetime

from fastflow_events.recorded import Cause
from fastflow_events.run.events import RunRequested
from fastflow_rules.agenda import Agenda, Entry

from fastflow_scheduler.book.kept import Wish
from fastflow_scheduler.book.shelf import Shelf


class Wishes:
    """By the id of the run they wish for."""

    def __init__(self, agenda: Agenda) -> None:
        self.shelf = Shelf("wish", Wish)
        self.due: dict[str, None] = {}
        """Those whose time has come, oldest first."""
        self._agenda = agenda
        self._of_pipeline: dict[str, set[str]] = {}

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
        if run_id in self.shelf:
            self.due[run_id] = None

    def of_pipeline(self, name: str) -> list[tuple[str, Wish]]:
        """The wishes for runs of a pipeline."""
        found = ((id, self.shelf.get(id)) for id in sorted(self._of_pipeline.get(name, ())))
        return [(id, wish) for id, wish in found if wish is not None]

    def rebuild(self) -> None:
        """Compute everything else from the wishes alone."""
        self.due, self._of_pipeline = {}, {}
        for run_id in self.shelf:
            self._sort(run_id)

    def _sort(self, run_id: str) -> None:
        wish = self.shelf.get(run_id)
        assert wish is not None
        self._of_pipeline.setdefault(wish.request.pipeline, set()).add(run_id)
        self._agenda.set(Entry("wish", run_id), wish.due)
        if wish.due is None:
            self.due[run_id] = None
        else:
            self.due.pop(run_id, None)

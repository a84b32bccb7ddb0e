"""The backfills under way: never more of their runs open than each of them wants."""

from fastflow_events.backfill.events import BackfillCancelled, BackfillRequested
from fastflow_events.ids import run_id_of_backfill
from fastflow_events.recorded import Recorded
from fastflow_events.run.events import RunRequested, Trigger
from msgspec.structs import replace

from fastflow_scheduler.book.kept import Backfilling
from fastflow_scheduler.book.shelf import Shelf
from fastflow_scheduler.book.wishes import Wishes


class Backfills:
    """By id."""

    def __init__(self, wishes: Wishes) -> None:
        self.shelf = Shelf("backfill", Backfilling)
        self.to_cancel: dict[str, str] = {}
        """Open runs of cancelled backfills, with who cancelled them."""
        self._wishes = wishes

    def fold(self, recorded: Recorded) -> None:
        """Fold one fact about a backfill."""
        fact, id = recorded.fact, recorded.id
        known = self.shelf.get(id)
        if isinstance(fact, BackfillRequested) and known is None:
            started = Backfilling(
                pipeline=fact.pipeline,
                schedule=fact.schedule,
                todo=fact.instants,
                concurrency=fact.concurrency,
                cause=recorded.because(),
                run_config_id=fact.run_config_id,
                params=fact.params,
                commit=fact.commit,
                priority=fact.priority,
                who=fact.who,
            )
            self._go_on(id, started)
        elif isinstance(fact, BackfillCancelled) and known is not None:
            for run_id in known.open:
                self._wishes.drop(run_id)
                self.to_cancel[run_id] = fact.who
            self.shelf.put(id, replace(known, todo=(), cancelled=fact.who or "somebody"))

    def requested(self, run_id: str, request: RunRequested) -> None:
        """A run was asked for; one of a cancelled backfill is cancelled in its turn."""
        backfill = self.shelf.get(request.trigger.backfill or "")
        if backfill is not None and backfill.cancelled:
            self.to_cancel[run_id] = backfill.cancelled

    def over(self, run_id: str, request: RunRequested) -> None:
        """A run is over: ask for the next one."""
        self.to_cancel.pop(run_id, None)
        id = request.trigger.backfill or ""
        backfill = self.shelf.get(id)
        if backfill is not None and run_id in backfill.open:
            self._go_on(id, replace(backfill, open=tuple(open for open in backfill.open if open != run_id)))

    def rebuild(self) -> None:
        """Compute from the backfills alone which runs are to be cancelled."""
        self.to_cancel = {id: b.cancelled for b in self.shelf.values() if b.cancelled for id in b.open}

    def _go_on(self, id: str, backfill: Backfilling) -> None:
        """Wish for as many runs as may be open; forget a backfill of which nothing is left."""
        while backfill.todo and len(backfill.open) < backfill.concurrency:
            nominal, *rest = backfill.todo
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
            backfill = replace(backfill, todo=tuple(rest), open=(*backfill.open, run_id))
        if backfill.todo or backfill.open or backfill.cancelled:
            self.shelf.put(id, backfill)
        else:
            self.shelf.drop(id)

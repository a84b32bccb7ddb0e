"""Why a run is as it is."""

from collections.abc import Sequence

from fastflow_events.message import Message
from fastflow_events.recorded import Recorded
from fastflow_rules.why import Line, caused_by, story
from msgspec import Struct

from fastflow_gateway.core.errors import no_such_run
from fastflow_gateway.core.views import runs as view
from fastflow_gateway.core.views.reasons import message_of
from fastflow_gateway.core.views.runs import RunStatus
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.queue import WaitingRun, waiting

MOST_RUNS = 50


class Why(Struct, frozen=True, kw_only=True):
    """The chain of causes of one run."""

    id: str
    status: RunStatus
    reason: str
    reason_message: Message | None
    lines: list[Line]
    """Oldest cause first: those of the runs it follows, then its own."""
    waiting: WaitingRun | None = None
    """What it waits for while it is in the queue."""


async def why(deps: Deps, run_id: str) -> Why:
    """Tell the story of a run from the log, with the stories of the runs it follows.

    Raises:
        NotFoundError: nobody ever asked for it.
    """
    histories: dict[str, Sequence[Recorded]] = {}
    todo = [run_id]
    while todo and len(histories) < MOST_RUNS:
        id = todo.pop(0)
        if id not in histories:
            histories[id] = (await deps.log.load("run", id)).recorded
            todo += caused_by(histories[id])
    row = view.fold(histories[run_id])
    if row is None:
        raise no_such_run(run_id)
    queued = row.status == "queued" and not row.dispatched
    entry = next((entry for entry in await waiting(deps) if entry.id == run_id), None) if queued else None
    lines = story(reversed(histories.values()))
    message = message_of(row.reason_message)
    return Why(id=run_id, status=row.status, reason=row.reason, reason_message=message, lines=lines, waiting=entry)

"""What each of some runs waits for, in the lists of runs."""

from collections.abc import Sequence

from fastflow_events.errors import InfrastructureError
from fastflow_events.message import Statement
from fastflow_rules.queue.waits import NextAttempt, UnknownPlace

from fastflow_gateway.core.responses.runs import WaitingFor
from fastflow_gateway.core.views.reasons import message_of
from fastflow_gateway.core.views.runs import RunRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.queue import WaitingRun, in_queue, waiting
from fastflow_gateway.queue_snapshot import Seen


async def waiting_for(deps: Deps, rows: Sequence[RunRow]) -> dict[str, WaitingFor]:
    """By run; whoever is over or has a container is left out. Places in the queue may be a second old."""
    now = deps.clock()
    queued = [row for row in rows if in_queue(row, now)]
    found = {
        row.id: _waits(NextAttempt(row.due)) if row.due else _as_the_row_says(row)
        for row in rows
        if row.status in ("queued", "waiting")
    }
    if not queued:
        return found
    wanted, looks = [row.id for row in queued], deps.queue_snapshot.looks
    if not deps.queue_snapshot.serves(wanted, now):
        try:
            await looks.join(lambda: _look(deps))
            if not deps.queue_snapshot.serves(wanted, deps.clock()):  # it began before somebody new came
                await looks.fresh(lambda: _look(deps))
        except InfrastructureError:  # without the bus nothing is seen, and rows are shown all the same
            deps.queue_snapshot.keep({}, began=now, ended=deps.clock())
    for row in queued:
        seen = deps.queue_snapshot.runs.get(row.id)
        if seen is not None:
            found[row.id] = WaitingFor(reason=seen.reason, reason_message=seen.reason_message, position=seen.position)
        else:
            found[row.id] = _waits(UnknownPlace())
    return found


def _waits(reason: Statement) -> WaitingFor:
    return WaitingFor(reason=str(reason), reason_message=reason.message)


def _as_the_row_says(row: RunRow) -> WaitingFor:
    return WaitingFor(reason=row.reason, reason_message=message_of(row.reason_message))


async def everybody(deps: Deps) -> list[WaitingRun]:
    """The whole queue as it is now; however many ask at once, it is looked at once for all of them.

    Raises:
        InfrastructureError: the bus did not answer.
    """
    return await deps.queue_snapshot.looks.fresh(lambda: _look(deps))


async def _look(deps: Deps) -> list[WaitingRun]:
    began = deps.clock()
    found = await waiting(deps)
    seen = {
        run.id: Seen(position=run.position, reason=run.waiting_for, reason_message=run.waiting_for_message)
        for run in found
    }
    deps.queue_snapshot.keep(seen, began=began, ended=deps.clock())
    return found

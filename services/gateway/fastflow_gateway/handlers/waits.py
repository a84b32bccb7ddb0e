"""What each of some runs waits for, in the lists of runs."""

from collections.abc import Sequence

from fastflow_events.errors import InfrastructureError

from fastflow_gateway.deps import Deps
from fastflow_gateway.glance import Seen
from fastflow_gateway.handlers.queue import in_queue, waiting
from fastflow_gateway.presented import WaitingFor
from fastflow_gateway.views.runs import RunRow

UNKNOWN = "its place, which is not known yet"


async def waiting_for(deps: Deps, rows: Sequence[RunRow]) -> dict[str, WaitingFor]:
    """By run; whoever is over or has a container is left out. Places in the queue may be a second old."""
    now = deps.clock()
    queued = [row for row in rows if in_queue(row, now)]
    found = {
        row.id: WaitingFor(reason=f"the instant of its next attempt, {row.due}" if row.due else row.reason)
        for row in rows
        if row.status in ("queued", "waiting")
    }
    if not queued:
        return found
    if not deps.glance.serves([row.id for row in queued], now):
        await _look(deps)
    for row in queued:
        seen = deps.glance.runs.get(row.id)
        if seen is not None:
            found[row.id] = WaitingFor(reason=seen.reason, position=seen.position)
        else:
            found[row.id] = WaitingFor(reason=UNKNOWN)
    return found


async def _look(deps: Deps) -> None:
    """See the whole queue; without the bus nothing is seen, and rows are shown all the same."""
    began = deps.clock()
    try:
        everybody = await waiting(deps)
    except InfrastructureError:
        everybody = []
    seen = {run.id: Seen(position=run.position, reason=run.waiting_for) for run in everybody}
    deps.glance.keep(seen, began=began, ended=deps.clock())

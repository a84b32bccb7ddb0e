"""What Prometheus is told of the queue: how long it is, and how long the first in it has waited."""

from datetime import datetime

from prometheus_client import Gauge

from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.deps import Deps

LENGTH = Gauge("fastflow_queue_runs", "Runs that wait for a place.")
OLDEST_S = Gauge("fastflow_queue_oldest_seconds", "How long the oldest of them has waited; 0 when none does.")
WAITING = RunFilter(statuses=("queued", "waiting"))


async def look_at_queue(deps: Deps) -> None:
    """Set both; two questions that an index answers."""
    counts = (await deps.rows.run_counts(WAITING)).counts
    oldest = await deps.rows.runs(WAITING, limit=1, order="oldest")
    LENGTH.set(sum(counts.values()))
    since = datetime.fromisoformat(oldest[0].requested_at) if oldest else None
    OLDEST_S.set(max(0.0, (deps.clock() - since).total_seconds()) if since is not None else 0.0)

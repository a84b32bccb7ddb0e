"""Which of some runs nobody can reach just now: their runner gives no sign of life."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.leases import Heartbeat

from fastflow_gateway.core.views.runs import RunRow, RunStatus

HELD: tuple[RunStatus, ...] = ("preparing", "running")
"""A runner has them."""


async def out_of_reach(
    heartbeats: Callable[[], Awaitable[Mapping[str, Heartbeat]]], rows: Sequence[RunRow]
) -> set[str]:
    """Ids of those whose runner's lease has run out; without the bus nobody knows, and nobody is accused."""
    held = [row for row in rows if row.status in HELD]
    if not held:
        return set()
    try:
        alive = await heartbeats()
    except InfrastructureError:
        return set()
    return {row.id for row in held if row.runner not in alive}

"""The facts of the queue; its only id is `main`."""

from fastflow_events.fact import Fact, wire
from fastflow_events.types import Seconds

QUEUE = "main"


@wire("queue.leased.v1")
class QueueLeased(Fact, frozen=True, kw_only=True):
    """A scheduler leads. Every dispatch names the position of this fact, so a deposed leader's is refused."""

    term: int
    leader: str
    max_running: int | None = None
    """Attempts that may be in hand at once under this term."""
    ageing_s: Seconds | None = None
    """Waiting this long counts as much as one step of priority."""
    default_pool: str | None = None
    """Where runs go whose pipeline names no pool."""

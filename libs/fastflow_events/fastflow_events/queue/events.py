"""The facts of the queue; its only id is `main`."""

from fastflow_events.fact import Fact, wire

QUEUE = "main"


@wire("queue.leased.v1")
class QueueLeased(Fact, frozen=True, kw_only=True):
    """A scheduler leads. Every dispatch names the position of this fact, so a deposed leader's is refused."""

    term: int
    leader: str

"""Whoever changed something sees it in the next answer of the same gateway."""

from collections.abc import Sequence

from fastflow_events.recorded import Recorded

from fastflow_gateway.bell import Changes

WITHIN_S = 2.0
"""A read model that is further behind tells so elsewhere; the change stands in the log all the same."""


async def settle(changes: Changes, facts: Sequence[Recorded]) -> None:
    """Wait until the rows hold the facts; there is nothing to wait for when nothing had to change."""
    if facts:
        await changes.reached(facts[-1].seq, within_s=WITHIN_S)

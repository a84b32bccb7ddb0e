"""The versions of a pipeline's folder that were stored between two others."""

from typing import NamedTuple

from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.log import EventLog

MOST = 100


class Between(NamedTuple):
    """From the older one, which is left out, to the newer one; oldest first, the newest where there are too many."""

    commits: list[str]
    is_backwards: bool
    """Whether the one that was named second is the older one."""


async def versions_between(log: EventLog, pipeline: str, before: str | None, after: str | None) -> Between:
    """None at all where they are the same, or one of them was never stored."""
    facts = (await log.load("pipeline", pipeline)).facts
    stored = [fact.commit for fact in facts if isinstance(fact, PipelineVersionStored)]
    order = [*dict.fromkeys(stored)]
    if before == after or before not in order or after not in order:
        return Between([after] if after and before != after else [], is_backwards=False)
    begin, end = order.index(before), order.index(after)
    return Between(order[min(begin, end) + 1 : max(begin, end) + 1][-MOST:], begin > end)

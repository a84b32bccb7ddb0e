"""A moment of the past: what somebody names, and what is not known of it."""

import re

from fastflow_events.errors import InfrastructureError
from fastflow_events.message import Statement

LAST_POSITION = 2**63 - 1
_POSITION = re.compile(r"[0-9]{1,19}", re.ASCII)


class RunnersUnknown(Statement, frozen=True, tag="waits.runners_unknown"):
    """Signs of life are not kept."""

    english = "a runner; which ones were alive then is not known"


class LongAgo(Statement, frozen=True, tag="fault.long_ago"):
    """Signs of life are not kept."""

    english = "which runners were alive then is not known"


class LongAgoError(InfrastructureError):
    """What is not kept cannot be told of the past."""


def position_in(text: str) -> int | None:
    """The position of the log that somebody named; None when it is something else."""
    return int(text) if _POSITION.fullmatch(text) and int(text) <= LAST_POSITION else None

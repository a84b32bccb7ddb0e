"""What became of each of many runs that something was to be done with."""

from typing import Literal, TypeAlias

from fastflow_events.message import Message
from msgspec import Struct

BulkAction: TypeAlias = Literal["cancel", "rerun", "prioritise"]
BulkOutcome: TypeAlias = Literal["done", "already", "refused"]


class BulkItem(Struct, frozen=True, kw_only=True):
    """What became of one run, or would."""

    id: str
    outcome: BulkOutcome
    """`already`: nothing was to be done, somebody did it before."""
    reason: str = ""
    """Why it was refused."""
    reason_message: Message | None = None
    new_run: str | None = None
    """The run that repeats it."""


class BulkResponse(Struct, frozen=True, kw_only=True):
    """What became of each run, in the order in which they were named."""

    action: BulkAction
    dry_run: bool
    """Nothing was done: `done` is what would be."""
    done: int
    already: int
    refused: int
    items: list[BulkItem]
    matched: int
    """How many runs were meant: those that were named, or all that are like the filter now."""
    matched_is_exact: bool = True
    """False for an estimate of many."""
    next: str | None = None
    """Give it as `cursor` with the same filter to go on; null when all were looked at."""

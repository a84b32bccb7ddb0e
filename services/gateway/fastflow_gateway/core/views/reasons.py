"""What the read model itself says of a run, and how a statement is kept in a row."""

import msgspec
from fastflow_events.message import Message, Statement

_json = msgspec.json.Encoder(order="sorted")


class Rejected(Statement, frozen=True, tag="run.rejected"):
    """It will not be executed."""

    english = "{reason}: {detail}"
    reason: str
    detail: Statement


class AttemptDue(Statement, frozen=True, tag="run.attempt_due"):
    """It will be tried again."""

    english = "attempt {attempt} is due"
    attempt: int


class CancelRequested(Statement, frozen=True, tag="run.cancel_requested"):
    """Somebody wants it to end and did not say why."""

    english = "cancel requested by {who}"
    who: str


class Ended(Statement, frozen=True, tag="run.ended"):
    """Nobody said more about how it ended."""

    english = "{outcome}"
    outcome: str


class Remarks(Statement, frozen=True, tag="repository.remarks"):
    """It was read, and something is to be said of it."""

    english = "{remarks}"
    remarks: tuple[Statement, ...]


def wire_of(statement: Statement | None) -> str:
    """Code and arguments as JSON; empty for nothing."""
    return _json.encode(statement.message).decode() if statement is not None else ""


def message_of(column: str) -> Message | None:
    """What such a column holds."""
    return msgspec.json.decode(column, type=Message) if column else None

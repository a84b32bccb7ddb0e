"""How a message that could not be handled looks to people."""

from datetime import datetime

from msgspec import Struct

from fastflow_gateway.core.dead_letters import StoredLetter


class DeadLetterResponse(Struct, frozen=True, kw_only=True):
    """One message that could not be handled."""

    seq: int
    service: str
    subject: str
    stream: str
    stream_seq: int
    consumer: str
    reason: str
    at: datetime | None
    data: str
    """The message's first kilobyte as text; bytes that are not UTF-8 read as U+FFFD."""
    size_bytes: int


def show_letter(letter: StoredLetter) -> DeadLetterResponse:
    """The letter with the beginning of its message."""
    return DeadLetterResponse(
        seq=letter.seq,
        service=letter.service,
        subject=letter.subject,
        stream=letter.stream,
        stream_seq=letter.stream_seq,
        consumer=letter.consumer,
        reason=letter.reason,
        at=letter.at,
        data=letter.data[:1000].decode(errors="replace"),
        size_bytes=len(letter.data),
    )

"""How the agenda looks to people."""

from datetime import datetime

from fastflow_events.message import Message
from msgspec import Struct, field

from fastflow_gateway.core.agenda import AgendaEntry


class AgendaRemark(Struct, frozen=True, kw_only=True):
    """What a change of the clock does to the fires of a schedule."""

    at: datetime
    """When the clock is changed."""
    pipeline: str
    schedule: str
    text: str
    text_message: Message


class AgendaResponse(Struct, frozen=True, kw_only=True):
    """Fires of schedules, what became of them and what is to come, by instant."""

    since: datetime = field(name="from")
    until: datetime = field(name="to")
    now: datetime
    zone: str
    items: list[AgendaEntry]
    remarks: list[AgendaRemark]
    complete: bool
    """False when there are so many fires that some were not looked at: ask for a shorter time, or one pipeline."""

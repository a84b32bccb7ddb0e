"""What attempts use."""

from datetime import datetime

from msgspec import Struct


class Usage(Struct, frozen=True, kw_only=True):
    """What an attempt has used so far; None where nobody knows."""

    at: datetime
    """When it was read, by the engine's clock."""
    cpu_s: float
    memory_bytes: int
    """Now, without the page cache."""
    received_bytes: int | None = None
    """Over its network, which may have served others before; so is what was sent."""
    sent_bytes: int | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None

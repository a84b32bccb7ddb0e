"""The clock, read at the edges only and handed inwards."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Returns the instant now, UTC."""


def utc_now() -> datetime:
    """The wall clock of this machine."""
    return datetime.now(UTC)

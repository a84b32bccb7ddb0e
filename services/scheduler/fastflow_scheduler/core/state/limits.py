"""What the state has to know of its surroundings to sort what it holds."""

from datetime import timedelta

from fastflow_events.types import Seconds
from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Taken from the settings once."""

    max_running: int = 10
    default_pool: str = "default"
    ageing_s: Seconds = 60.0
    claim_within: timedelta = timedelta(seconds=60)
    overdue_after: timedelta | None = timedelta(hours=1)
    """None: silence of a repository means nothing."""

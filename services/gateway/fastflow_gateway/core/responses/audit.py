"""How a fact with what came of it looks to people, and how many there were when."""

from datetime import datetime

from msgspec import Struct

from fastflow_gateway.core.responses.facts import FactResponse


class CausedResponse(Struct, frozen=True, kw_only=True):
    """A fact with what came of it."""

    fact: FactResponse
    because: FactResponse | None
    """The fact that made it necessary; null where it was a person, a clock or another system."""
    caused: list[FactResponse]
    """The facts that it made necessary, oldest first."""
    looked_until: int
    """Position of the last fact that was looked at for those; what came much later is not among them."""


class FactsAt(Struct, frozen=True, kw_only=True):
    """How many facts there are of a span."""

    since: datetime
    until: datetime
    facts: int
    seq: int
    """Position of the last fact before `until`: what `?at=` takes to show everything as it was then."""


class Histogram(Struct, frozen=True, kw_only=True):
    """Facts over time, oldest span first; the spans lie side by side."""

    tz: str
    items: list[FactsAt]
    next: str | None = None

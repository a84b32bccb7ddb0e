"""What is wrong with a question about facts."""

from fastflow_events.message import Statement


class AZone(Statement, frozen=True, tag="fault.a_zone"):
    """Of the IANA database."""

    english = "{name} has to name a time zone, as in Europe/Berlin"
    name: str


class OneDirection(Statement, frozen=True, tag="fault.one_direction"):
    """Facts are paged through."""

    english = "before goes backwards, so neither cursor nor tail nor order=asc goes with it"


class NoSuchFact(Statement, frozen=True, tag="refused.no_such_fact"):
    """Of the log."""

    english = "the log has no fact at position {seq}"
    seq: int

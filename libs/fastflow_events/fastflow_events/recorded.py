"""What the log keeps of a fact, and where a fact may be appended."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.fact import Fact


class Cause(Struct, frozen=True, kw_only=True):
    """Why a fact is appended; copied from what the appender answers."""

    correlation_id: str
    causation_id: str | None = None
    """Event id of the fact that made this one necessary."""
    traceparent: str | None = None
    """W3C trace context."""


class Position(Struct, frozen=True, kw_only=True):
    """The end of one aggregate's history as somebody knew it; an append is refused when it has moved."""

    aggregate: str
    id: str
    seq: int = 0
    """Stream position of the aggregate's last fact; 0 means "not one yet", so creation happens once."""
    version: int = 0
    """Number of the aggregate's facts."""


class Recorded(Struct, frozen=True, kw_only=True):
    """A fact in the log, with its envelope."""

    seq: int
    """Position in the stream, counting from 1."""
    aggregate: str
    id: str
    """Id of the aggregate, decoded."""
    version: int
    """Which fact of the aggregate this is, counting from 1; as its writer knew it."""
    at: datetime
    """When its writer wrote it, UTC."""
    source: str
    """`/fastflow/<service>/<instance>`."""
    cause: Cause
    fact: Fact
    stored_at: datetime | None = None
    """When the log's server stored it, UTC, by its own clock; None for what was not read from there."""

    @property
    def written(self) -> "Recorded":
        """The same as whoever appended it knows it."""
        return replace(self, stored_at=None)

    @property
    def told_at(self) -> datetime:
        """When it became known: by the server's clock where that is known, which is one for all writers."""
        return self.stored_at or self.at

    @property
    def event_id(self) -> str:
        """`<aggregate>/<id>/<version>`."""
        return f"{self.aggregate}/{self.id}/{self.version}"

    @property
    def wire_type(self) -> str:
        """Wire name of the fact, of its newest version."""
        return getattr(self.fact, "wire_type", self.fact.type_)

    def because(self) -> Cause:
        """The cause of a fact that answers this one."""
        return Cause(
            correlation_id=self.cause.correlation_id, causation_id=self.event_id, traceparent=self.cause.traceparent
        )


class Life(Struct, frozen=True):
    """What tells a log from another one in its place, where the same positions are other facts."""

    since: str
    """When it was made."""
    last_seq: int
    """Where it ends; one that was restored from a backup ends sooner than it did."""

    def holds(self, other: "Life") -> bool:
        """True when everything that was in the log of then is in the one of now."""
        return self.since == other.since and self.last_seq >= other.last_seq


class History(Struct, frozen=True, kw_only=True):
    """All facts of one aggregate, oldest first."""

    aggregate: str
    id: str
    recorded: tuple[Recorded, ...] = ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The bare facts, oldest first."""
        return tuple(r.fact for r in self.recorded)

    @property
    def position(self) -> Position:
        """Where the next fact may be appended."""
        seq = self.recorded[-1].seq if self.recorded else 0
        return Position(aggregate=self.aggregate, id=self.id, seq=seq, version=len(self.recorded))

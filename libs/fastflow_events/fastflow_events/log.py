"""The event log as everybody sees it; `jetstream_log` and `testing.memory_log` provide it."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from fastflow_events import subjects
from fastflow_events.doubts import Doubts
from fastflow_events.fact import Fact
from fastflow_events.recorded import Cause, History, Life, Position, Recorded


class EventLog(Protocol):
    """An append-only log of facts, cut into aggregates."""

    doubts: Doubts
    """The aggregates that are not to be trusted: those with a fact that was read and follows no contract, and those
    that somebody adds. Nothing is appended to them."""

    async def load(self, aggregate: str, id: str) -> History:
        """Return every fact of one aggregate; an unknown aggregate has an empty history.

        Raises:
            InfrastructureError: the log did not answer.
        """

    async def append(
        self, position: Position, facts: Sequence[Fact], *, cause: Cause, guard: Position | None = None
    ) -> list[Recorded]:
        """Append all `facts` or none; nothing is stored when somebody appended after `position`.

        With `guard` the end of that other aggregate is checked instead (dispatching, under a leader's lease).
        An append whose answer was lost is read back, so it is safe to call this once and believe the result.

        Raises:
            ConcurrencyError: the aggregate has moved on.
            UntrustedError: one of the aggregate's facts cannot be read.
            ContractError: a fact is too large for the log, or cannot be written down.
            InfrastructureError: the log did not answer and does not hold the facts.
        """

    def follow(self, subject: str, *, after_seq: int) -> AsyncIterator[Sequence[Recorded]]:
        """Yield every fact on `subject` after a stream position, in order and in batches, then new ones; never ends.

        A batch is never empty and holds at most 1000 facts. A log that does not answer for a while is asked again.

        Raises:
            InfrastructureError: the log did not answer at the beginning, was made anew, or the connection is closed.
        """

    def read(self, subject: str, *, after_seq: int = 0, limit: int | None = None) -> AsyncIterator[Recorded]:
        """Yield the facts on `subject` after a stream position that the log holds now, then end."""

    @property
    def trouble(self) -> str:
        """What keeps the log from storing what is appended, said for a minute; empty when nothing is known to."""

    async def life(self) -> Life:
        """What tells this log from one that was made anew, or restored from a backup, in its place.

        Raises:
            InfrastructureError: the log did not answer.
        """

    async def last_seq(self, subject: str = subjects.EVENTS) -> int:
        """Position of the newest fact on `subject`, of the whole log if not said otherwise; 0 when there is none."""

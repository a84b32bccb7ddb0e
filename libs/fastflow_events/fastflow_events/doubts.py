"""Facts that could not be read or folded, and the aggregates that are not to be trusted because of them.

What a fact wanted to say is not known, so no decision may rest on its aggregate: every append to it is refused. Kinds
of which there is one for the whole installation are left out: each of their facts stands for itself (the newest term,
paused or not, the newest key), and one bad fact must not stop everything.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from fastflow_events.errors import UntrustedError
from fastflow_events.message import Statement

ONE_OF_A_KIND = frozenset({"keyring", "queue", "settings"})
TOLD = 20
"""Facts that are named one by one; the others are counted."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")


class Unreadable(Statement, frozen=True, tag="doubt.unreadable"):
    """What it wanted to say is not known."""

    english = "its fact {seq} cannot be read ({error})"
    seq: int
    error: str


class Unfoldable(Statement, frozen=True, tag="doubt.unfoldable"):
    """Its facts contradict each other."""

    english = "its facts cannot be folded ({error})"
    error: str


class Undecidable(Statement, frozen=True, tag="doubt.undecidable"):
    """Whoever decides gave up."""

    english = "no decision about it is possible ({error})"
    error: str


class Untrusted(Statement, frozen=True, tag="doubt.untrusted"):
    """Why nothing happens to it."""

    english = "{aggregate} {id} cannot be trusted, so nothing is decided about it: {why}"
    aggregate: str
    id: str
    why: Statement


class SetAside(Struct, frozen=True, kw_only=True):
    """A fact that a fold could not take."""

    fold: str
    """Which fold."""
    seq: int
    aggregate: str
    id: str
    type: str
    error: str
    """Class and words of the error, without anything it quotes: that may be somebody's secret."""
    foreign: bool = False
    """It could be taken, but whoever said it had no right to: it counts for nothing, and what it is of is trusted."""

    @property
    def sentence(self) -> str:
        """All of it, for people."""
        if self.foreign:
            return f"fact {self.seq} ({self.type} of {self.aggregate}/{self.id}) does not count: {self.error}"
        return f"fact {self.seq} ({self.type} of {self.aggregate}/{self.id}) was set aside by {self.fold}: {self.error}"


class DoubtsReport(Struct, frozen=True, kw_only=True):
    """What health says about it."""

    count: int
    facts: tuple[SetAside, ...]
    """At most twenty, the oldest."""
    foreign: int = 0
    """How many of them count for nothing because of who said them; somebody may have a stolen key."""


class Doubts:
    """What this process knows not to trust."""

    def __init__(self) -> None:
        self._why: dict[tuple[str, str], Statement] = {}
        self._facts: dict[tuple[str, int], SetAside] = {}

    def add(self, aggregate: str, id: str, why: Statement) -> None:
        """Trust it no more."""
        if aggregate not in ONE_OF_A_KIND:
            self._why.setdefault((aggregate, id), why)

    def set_aside(self, facts: Iterable[SetAside]) -> None:
        """A fold could not take these, or they count for nothing."""
        for fact in facts:
            self._facts[fact.fold, fact.seq] = fact
            if not fact.foreign:
                self.add(fact.aggregate, fact.id, Unreadable(fact.seq, fact.error))

    def why(self, aggregate: str, id: str) -> str:
        """Why it is not to be trusted; empty when it is."""
        return str(self.reason(aggregate, id) or "")

    def reason(self, aggregate: str, id: str) -> Statement | None:
        """The same with its code; None when it is to be trusted."""
        return self._why.get((aggregate, id))

    def check(self, aggregate: str, id: str) -> None:
        """Go on only with what can be trusted.

        Raises:
            UntrustedError: one of its facts could not be read or folded.
        """
        if (why := self.reason(aggregate, id)) is not None:
            raise UntrustedError(Untrusted(aggregate, id, why), aggregate=aggregate, id=id)

    def report(self) -> DoubtsReport | None:
        """What is to be said about it; None when there is nothing."""
        if not self._facts and not self._why:
            return None
        facts = sorted(self._facts.values(), key=lambda fact: (fact.seq, fact.fold))
        return DoubtsReport(count=len(facts), facts=tuple(facts[:TOLD]), foreign=sum(fact.foreign for fact in facts))


def words_of(error: BaseException) -> str:
    """Class and words of an error, without what it quotes."""
    text = _QUOTED.sub("…", " ".join(str(error).split()))[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

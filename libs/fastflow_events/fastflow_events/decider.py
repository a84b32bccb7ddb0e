"""The shape of every aggregate: an initial state, `decide` and `evolve`."""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Generic, TypeVar

from msgspec import Struct

from fastflow_events.fact import Fact

C = TypeVar("C")
S = TypeVar("S")


class Decider(Struct, Generic[C, S], frozen=True, kw_only=True):
    """The rules of one kind of aggregate, as three values."""

    aggregate: str
    initial: S
    decide: Callable[[C, S], list[Fact]]
    """Command and state to new facts; an empty list means "already so"; raises `DomainError`."""
    evolve: Callable[[S, Fact], S]
    """State and fact to the next state; never refuses, whatever the fact."""

    def fold(self, events: Iterable[Fact]) -> S:
        """Return the state after `events`, oldest first."""
        return reduce(self.evolve, events, self.initial)

"""The base of every fact and the registry from wire name to struct.

A fact's body carries neither its type nor the id of its aggregate: both travel in the envelope.
The wire name `<aggregate>.<fact>.v<N>` is chosen once and never changes; a new shape gets a new number.
"""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from msgspec import Struct

F = TypeVar("F", bound="Fact")
_REGISTRY: dict[str, type["Fact"]] = {}


class Fact(Struct, frozen=True, kw_only=True):
    """What happened, and cannot be refused any more."""

    type_: ClassVar[str] = ""
    """Wire name, `<aggregate>.<fact>.v<N>`."""
    scope_field: ClassVar[str] = ""
    """Field whose value ends the subject: the pool of a dispatch, the runner of a runner's fact."""

    @property
    def scope(self) -> str | None:
        """The last token of the fact's subject before encoding; None for most facts."""
        return str(getattr(self, self.scope_field)) if self.scope_field else None


def wire(type_: str, *, scope: str = "") -> Callable[[type[F]], type[F]]:
    """Give a fact its wire name, once and for ever; `scope` names the field that ends its subject."""

    def register(cls: type[F]) -> type[F]:
        cls.type_ = type_
        cls.scope_field = scope
        _REGISTRY[type_] = cls
        return cls

    return register


def wire_types() -> dict[str, type[Fact]]:
    """Return every current fact by its wire name."""
    return dict(_REGISTRY)


def fact_name(type_: str) -> str:
    """Return the middle of a wire name, which is the fact's subject token: `run.requested.v1` → `requested`."""
    return type_.split(".")[1]


def aggregate_name(type_: str) -> str:
    """Return the first part of a wire name: `run.requested.v1` → `run`."""
    return type_.split(".", maxsplit=1)[0]


class UnknownFact(Fact, frozen=True, kw_only=True):
    """A fact of a newer release: readers step over it, writers refuse to decide without knowing it."""

    wire_type: str
    body: bytes
    subject_scope: str | None = None
    """What its subject ends with, decoded; None where it ends with the fact's name."""

    @property
    def scope(self) -> str | None:
        """What only the subject tells."""
        return self.subject_scope


class BrokenFact(UnknownFact, frozen=True, kw_only=True):
    """A stored message that follows no contract of any release, so nobody knows what it wanted to say."""

    reason: str


class ForeignFact(Fact, frozen=True, kw_only=True):
    """A fact of somebody who had no right to say it then; it stands in the log and counts for nothing."""

    wire_type: str
    said: Fact
    why: str
    """A sentence a person understands."""

    @property
    def scope(self) -> str | None:
        """That of what was said."""
        return self.said.scope

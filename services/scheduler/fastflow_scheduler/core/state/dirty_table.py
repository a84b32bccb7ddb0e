"""A part of the state: things by key, and which of them changed since they were written down."""

from collections.abc import ItemsView, Iterator, ValuesView
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T", bound=Struct)


class DirtyTable(Generic[T]):
    """Things of one kind; what changed is `dirty` until somebody has written it down."""

    def __init__(self, name: str, kind: type[T]) -> None:
        self.name = name
        self.kind = kind
        self.dirty: set[str] = set()
        self._things: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._things)

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __contains__(self, key: str) -> bool:
        return key in self._things

    def get(self, key: str) -> T | None:
        """The thing, or None."""
        return self._things.get(key)

    def values(self) -> ValuesView[T]:
        """All things."""
        return self._things.values()

    def items(self) -> ItemsView[str, T]:
        """All keys and things."""
        return self._things.items()

    def put(self, key: str, thing: T) -> None:
        """Keep a thing under a key, instead of what was there."""
        self._things[key] = thing
        self.dirty.add(key)

    def drop(self, key: str) -> T | None:
        """Forget a thing; returns it."""
        thing = self._things.pop(key, None)
        if thing is not None:
            self.dirty.add(key)
        return thing

    def load(self, things: dict[str, T]) -> None:
        """Take what was written down as it is."""
        self._things = things
        self.dirty.clear()

"""Rows that were read before and cannot have changed since."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

R = TypeVar("R")

MAX_KEPT = 1000
"""More are hardly asked for at a time; when there are, all are read again."""


class KeptRows(Generic[R]):
    """By key, of one table."""

    def __init__(self, changed: Callable[[], int]) -> None:
        """`changed` says how often the table has changed; it counts once the change can be read, and not before."""
        self._changed = changed
        self._rows: dict[str, R] = {}
        self._as_of = -1

    async def get(self, key: str, read: Callable[[str], Awaitable[R | None]]) -> R | None:
        """The row as it is now, read unless it is known; that there is none is never kept."""
        as_of = self._changed()
        if as_of != self._as_of:
            self._rows, self._as_of = {}, as_of
        if (known := self._rows.get(key)) is not None:
            return known
        row = await read(key)
        if row is not None and self._as_of == as_of == self._changed():  # else it may be older than the last change
            if len(self._rows) >= MAX_KEPT:
                self._rows.clear()
            self._rows[key] = row
        return row

"""What is due when: a pure fold, from which whoever may tick reads what to do now and how long to sleep.

The agenda knows no clock. Two of them, fed with the same facts, hold the same.
"""

import heapq
from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["fire", "pending_run", "retry", "claim", "repository"]
"""A schedule fires; a run is to be asked for; a retry is due; a dispatch is unclaimed; a repository is silent."""


class Entry(NamedTuple):
    """One thing that will have to be looked at."""

    kind: Kind
    key: str


class Agenda:
    """Each entry has one instant, or none; setting it again moves it."""

    def __init__(self) -> None:
        self._due: dict[Entry, datetime] = {}
        self._heap: list[tuple[datetime, Entry]] = []

    def __len__(self) -> int:
        return len(self._due)

    def set(self, entry: Entry, due: datetime | None) -> None:
        """Put the entry where it is due, or nowhere."""
        if due is None:
            self._due.pop(entry, None)
        elif self._due.get(entry) != due:
            self._due[entry] = due
            heapq.heappush(self._heap, (due, entry))
            if len(self._heap) > 1000 + 4 * len(self._due):
                self._heap = [(due, entry) for entry, due in self._due.items()]
                heapq.heapify(self._heap)

    def due_of(self, entry: Entry) -> datetime | None:
        """When the entry is due."""
        return self._due.get(entry)

    def head(self) -> datetime | None:
        """When the next entry is due; None when there is none."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: datetime) -> Iterator[Entry]:
        """Remove and yield what is due by now, earliest first; whoever takes it sets it again."""
        while (due := self.head()) is not None and due <= now:
            _, entry = heapq.heappop(self._heap)
            if self._due.get(entry) == due:
                del self._due[entry]
                yield entry

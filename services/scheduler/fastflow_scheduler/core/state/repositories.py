"""The watched repositories: when each was heard of last, and whether that is too long ago."""

from datetime import datetime

from fastflow_events.aggregates.repository.events import (
    RepositoryConfigured,
    RepositoryOverdue,
    RepositoryRemoved,
    RepositorySynced,
    RepositorySyncFailed,
    RepositorySyncRequested,
)
from fastflow_events.instants import later
from fastflow_events.recorded import Position, Recorded
from msgspec.structs import replace

from fastflow_scheduler.core.agenda import Agenda, Entry
from fastflow_scheduler.core.state.dirty_table import DirtyTable
from fastflow_scheduler.core.state.limits import Limits
from fastflow_scheduler.core.state.records import Watched


class Repositories:
    """By name."""

    def __init__(self, limits: Limits, agenda: Agenda) -> None:
        self.table = DirtyTable("repository", Watched)
        self._limits = limits
        self._agenda = agenda
        self._doubted: set[str] = set()

    def doubt(self, id: str) -> None:
        """Nobody knows what is said about it, so it is not looked at."""
        self._doubted.add(id)
        self._agenda.set(Entry("repository", id), None)

    def fold(self, recorded: Recorded) -> None:
        """Fold one fact about a repository."""
        id, fact, at = recorded.id, recorded.fact, recorded.told_at
        known = self.table.get(id)
        if isinstance(fact, RepositoryRemoved):
            self.table.drop(id)
            self._agenda.set(Entry("repository", id), None)
            return
        if known is None:
            position = Position(aggregate="repository", id=id)
            known = Watched(position=position, cause=recorded.because(), heard_at=at, good_at=at)
        position = replace(known.position, seq=recorded.seq, version=known.position.version + 1)
        known = replace(known, position=position, cause=recorded.because(), heard_at=at)
        match fact:
            case RepositoryConfigured():
                known = replace(known, good_at=at, failing_since=None, asked_since=None, overdue=False)
            case RepositorySyncRequested():
                known = replace(known, requests=known.requests + 1, asked_since=known.asked_since or at)
            case RepositorySynced():
                asked = None if fact.requests >= known.requests else at
                known = replace(known, good_at=at, failing_since=None, asked_since=asked, overdue=False)
            case RepositorySyncFailed():
                asked = None if fact.requests >= known.requests else known.asked_since
                known = replace(known, failing_since=known.failing_since or at, asked_since=asked)
            case RepositoryOverdue():
                known = replace(known, overdue=True)
            case _:
                pass
        self.table.put(id, known)
        self._sort(id, known)

    def rebuild(self) -> None:
        """Compute from the repositories alone when each has to be looked at."""
        for id, known in self.table.items():
            self._sort(id, known)

    def bad_since(self, known: Watched) -> datetime | None:
        """Since when it fails, or somebody waits for an answer; None while nothing is wrong."""
        return min((at for at in (known.failing_since, known.asked_since) if at is not None), default=None)

    def _sort(self, id: str, known: Watched) -> None:
        due = None
        if self._limits.overdue_after is not None and not known.overdue and id not in self._doubted:
            bad = self.bad_since(known)
            after_s = self._limits.overdue_after.total_seconds()
            due = later(known.heard_at, after_s / 2) if bad is None else later(bad, after_s)
        self._agenda.set(Entry("repository", id), due)

"""Which runs somebody wants to see, and whether a run is one of them. Pure."""

import hashlib
from collections.abc import Collection
from datetime import datetime

import msgspec
from fastflow_events.types import Outcome, TriggerKind
from msgspec import Struct

from fastflow_gateway.core.views.instants import text_of
from fastflow_gateway.core.views.run_row import OVER, RunRow, RunStatus
from fastflow_gateway.core.views.words import has, words_in


class RunFilter(Struct, frozen=True, kw_only=True):
    """What is not said is not asked; of several values a run has one."""

    pipelines: tuple[str, ...] = ()
    statuses: tuple[RunStatus, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    triggers: tuple[TriggerKind, ...] = ()
    tags: tuple[str, ...] = ()
    """Of its pipeline, as it is now."""
    repositories: tuple[str, ...] = ()
    """Of its pipeline, as it is now."""
    commits: tuple[str, ...] = ()
    """Beginnings of commit ids."""
    schedules: tuple[str, ...] = ()
    backfills: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    runners: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    since: datetime | None = None
    """Requested then or later."""
    until: datetime | None = None
    """Requested before."""
    longer_than_s: float | None = None
    """Its user code took longer; the run is over."""
    is_open: bool | None = None
    q: str = ""
    """Words, the last one as a beginning, or the beginning of its id."""

    @property
    def words(self) -> list[str]:
        """What `q` looks for, folded."""
        return words_in(self.q)

    @property
    def id_prefix(self) -> str | None:
        """The beginning of an id, if `q` could be one."""
        text = self.q.strip().lower()
        return text if 4 <= len(text) <= 36 and set(text) <= _OF_IDS else None

    @property
    def fingerprint(self) -> str:
        """Eight characters that another filter hardly has."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:8]


_OF_IDS = frozenset("0123456789abcdef-")


def matches(wanted: RunFilter, row: RunRow, pipelines: Collection[str] | None) -> bool:
    """Whether a run is wanted; `pipelines` are those that its tags and repositories leave, None when all are."""
    return (
        _one_of(wanted.pipelines, row.pipeline)
        and (pipelines is None or row.pipeline in pipelines)
        and _one_of(wanted.statuses, row.status)
        and _one_of(wanted.outcomes, row.outcome)
        and _one_of(wanted.triggers, row.trigger_kind)
        and (not wanted.commits or any((row.commit_sha or "").startswith(commit) for commit in wanted.commits))
        and _one_of(wanted.schedules, row.schedule)
        and _one_of(wanted.backfills, row.backfill)
        and _one_of(wanted.who, row.who)
        and _one_of(wanted.runners, row.runner)
        and _one_of(wanted.branches, row.branch)
        and (wanted.since is None or row.requested_at >= text_of(wanted.since))
        and (wanted.until is None or row.requested_at < text_of(wanted.until))
        and (wanted.longer_than_s is None or (row.duration_ms or 0) > wanted.longer_than_s * 1000)
        and (wanted.is_open is None or wanted.is_open == (row.status not in OVER))
        and _is_found(wanted, row)
    )


def _one_of(wanted: Collection[str], value: str | None) -> bool:
    return not wanted or value in wanted


def _is_found(wanted: RunFilter, row: RunRow) -> bool:
    if not wanted.q.strip():
        return True
    if wanted.id_prefix is not None and row.id.startswith(wanted.id_prefix):
        return True
    return bool(wanted.words) and has(row, wanted.words)

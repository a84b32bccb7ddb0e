"""What the scheduler keeps in mind, each a fold of facts."""

from datetime import datetime
from typing import Any

from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.aggregates.run.state import Run
from fastflow_events.message import Message
from fastflow_events.recorded import Cause, Position
from msgspec import Struct

from fastflow_scheduler.core.catchup import Span


class OpenRun(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that is not over, with what it takes to append its next fact."""

    run: Run
    request: RunRequested
    position: Position
    cause: Cause
    requested_seq: int
    since: datetime
    """When it began to wait: it was asked for, or its retry became due."""
    touched_at: datetime
    """Of its last fact, by the log's clock."""
    priority: int = 0
    missing: str = ""
    """Why the code it asks for will never be stored."""
    missing_message: Message | None = None
    due: datetime | None = None
    """When a waiting retry is due; None when somebody hurried it."""
    lost: int = 0
    """Attempts whose runner did not come back."""
    pool: str = ""
    group: str | None = None
    route: str | None = None
    result: dict[str, Any] | None = None
    replaced_by: tuple[str, datetime] | None = None
    """Schedule and nominal instant that replace it by a new run."""
    to_replace: tuple[str, datetime] | None = None
    """The same, when another run of its pipeline was cancelled for it, and this one is to be, too."""


class PendingRun(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that has to be asked for; it stays until the log holds it, so it cannot be lost."""

    request: RunRequested
    cause: Cause
    due: datetime | None = None
    """Not before; None is now."""
    daemon: bool = False
    """Only while its pipeline still wants to be restarted."""


class Backfilling(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A backfill under way, as it was asked for."""

    pipeline: str
    schedule: str
    instants: tuple[datetime, ...]
    concurrency: int
    cause: Cause
    run_config_id: str | None = None
    params: dict[str, str] = {}
    commit: str | None = None
    priority: int = 0
    who: str = ""
    cancelled: str = ""
    """By whom; empty while it goes on."""


class Progress(Struct, frozen=True, kw_only=True):
    """How far a backfill has come."""

    done: int = 0
    """How many of its instants are pending or over, in their order."""


class OfBackfill(Struct, frozen=True, kw_only=True):
    """A run of a backfill that is not over."""

    backfill: str


class Pauses(Struct, frozen=True, kw_only=True):
    """When something was paused, oldest first."""

    spans: tuple[Span, ...] = ()

    @property
    def now(self) -> bool:
        """Whether it is paused."""
        return bool(self.spans) and self.spans[-1].end is None


class Watched(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A repository, and what was heard of it."""

    position: Position
    cause: Cause
    heard_at: datetime
    """Of any fact about it."""
    good_at: datetime
    """When it was synced last, or watched first."""
    failing_since: datetime | None = None
    asked_since: datetime | None = None
    """Of the oldest request that has no answer yet."""
    requests: int = 0
    overdue: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """What holds for the whole installation."""

    term: int = 0
    """Newest leadership term."""
    clock: datetime | None = None
    """The latest instant any fact names; the log's own clock, which never goes back."""

"""How a backfill looks to people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from fastflow_events.ids import run_id_of_backfill
from msgspec import Struct

from fastflow_gateway.core.views.backfills import BackfillRow, request_of


class BackfillInstant(Struct, frozen=True, kw_only=True):
    """One run of a backfill."""

    at: datetime
    """The instant that it stands for."""
    run: str | None
    """Null in a preview."""
    status: str | None
    """Null while it was not asked for."""


class BackfillCancel(Struct, frozen=True, kw_only=True):
    """Somebody wants no more of it."""

    who: str
    why: str
    """A person's words; empty when nothing was said."""
    at: datetime | None


class BackfillResponse(Struct, frozen=True, kw_only=True):
    """A backfill, or what it would be."""

    id: str | None
    pipeline: str
    schedule: str
    """Id of the schedule whose instants these are."""
    instants: list[BackfillInstant] | None
    """Oldest first; null in lists."""
    total: int
    """How many instants there are."""
    by_status: dict[str, int]
    """How many of its runs have each status."""
    concurrency: int
    who: str
    requested_at: datetime | None
    cancelled: bool
    cancel: BackfillCancel | None


def previewed(
    pipeline: str, schedule: str, instants: Sequence[datetime], *, id: str | None, concurrency: int, who: str
) -> BackfillResponse:
    """What it would be, or will be."""
    return BackfillResponse(
        id=id,
        pipeline=pipeline,
        schedule=schedule,
        instants=[
            BackfillInstant(at=at, run=None if id is None else run_id_of_backfill(id, at), status=None)
            for at in instants
        ],
        total=len(instants),
        by_status={},
        concurrency=concurrency,
        who=who,
        requested_at=None,
        cancelled=False,
        cancel=None,
    )


def show_backfill(row: BackfillRow, statuses: Mapping[str, str]) -> BackfillResponse:
    """The backfill with the status of each of its runs."""
    instants = [
        BackfillInstant(at=at, run=(run := run_id_of_backfill(row.id, at)), status=statuses.get(run))
        for at in request_of(row).instants
    ]
    counts = Counter(instant.status for instant in instants if instant.status is not None)
    return _shown(row, counts, instants)


def list_backfill(row: BackfillRow, counts: Mapping[str, int]) -> BackfillResponse:
    """The same in a list."""
    return _shown(row, counts, None)


def _shown(row: BackfillRow, counts: Mapping[str, int], instants: list[BackfillInstant] | None) -> BackfillResponse:
    cancelled_at = datetime.fromisoformat(row.cancelled_at) if row.cancelled_at else None
    return BackfillResponse(
        id=row.id,
        pipeline=row.pipeline,
        schedule=row.schedule,
        instants=instants,
        total=row.instants,
        by_status=dict(sorted(counts.items())),
        concurrency=row.concurrency,
        who=row.who,
        requested_at=datetime.fromisoformat(row.requested_at),
        cancelled=bool(row.cancelled),
        cancel=BackfillCancel(who=row.cancelled_by, why=row.cancelled_why, at=cancelled_at) if row.cancelled else None,
    )

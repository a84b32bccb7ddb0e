"""Table `backfills`: one row per backfill; how its runs stand is told by the runs."""

import msgspec
from fastflow_events.aggregates.backfill.events import BackfillCancelled, BackfillRequested
from fastflow_events.recorded import Recorded
from msgspec import Struct
from msgspec.structs import replace

from fastflow_gateway.core.views.instants import text_of


class BackfillRow(Struct, frozen=True):
    """One backfill. Instants are RFC 3339 UTC text."""

    id: str
    seq: int
    """Stream position of the fact that changed the row last."""
    requested_seq: int
    """Stream position of the request; orders the pages."""
    pipeline: str
    schedule: str
    requested_at: str
    who: str
    concurrency: int
    instants: int
    """How many runs it asks for."""
    request: str
    """JSON object: what was asked for."""
    cancelled: int = 0
    cancelled_by: str = ""
    cancelled_why: str = ""
    cancelled_at: str | None = None


_json = msgspec.json.Encoder(order="sorted")
_request = msgspec.json.Decoder(BackfillRequested)


def project(row: BackfillRow | None, recorded: Recorded) -> BackfillRow | None:
    """The row after `recorded`; None while no request is known. Total: never refuses a fact."""
    fact, seq, at = recorded.fact, recorded.seq, text_of(recorded.at)
    match fact:
        case BackfillRequested() if row is None:
            return BackfillRow(
                id=recorded.id,
                seq=seq,
                requested_seq=seq,
                pipeline=fact.pipeline,
                schedule=fact.schedule,
                requested_at=at,
                who=fact.who,
                concurrency=fact.concurrency,
                instants=len(fact.instants),
                request=_json.encode(fact).decode(),
            )
        case BackfillCancelled() if row is not None and not row.cancelled:
            return replace(row, seq=seq, cancelled=1, cancelled_by=fact.who, cancelled_why=fact.why, cancelled_at=at)
        case _:
            return row


def request_of(row: BackfillRow) -> BackfillRequested:
    """What was asked for."""
    return _request.decode(row.request)

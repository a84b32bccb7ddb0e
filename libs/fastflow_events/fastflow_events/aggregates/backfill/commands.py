"""What may be asked of a backfill."""

from typing import TypeAlias

from msgspec import Struct

from fastflow_events.aggregates.backfill.events import BackfillRequested


class RequestBackfill(Struct, frozen=True, kw_only=True):
    """Run a pipeline for instants of the past; asking twice with one id is asking once."""

    request: BackfillRequested


class CancelBackfill(Struct, frozen=True, kw_only=True):
    """Ask for no more runs and end the open ones."""

    who: str
    why: str = ""


BackfillCommand: TypeAlias = RequestBackfill | CancelBackfill

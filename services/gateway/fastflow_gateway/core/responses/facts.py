"""How a fact looks to people."""

from datetime import datetime
from typing import Any

import msgspec
from fastflow_events.fact import BrokenFact, Fact, ForeignFact, UnknownFact
from fastflow_events.plain import fault_of
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_gateway.core.responses.hidden import without_values
from fastflow_gateway.core.typed import FactJson


class FactResponse(Struct, frozen=True, kw_only=True):
    """One fact with its envelope."""

    seq: int
    id: str
    type: str
    aggregate: str
    aggregate_id: str
    version: int
    at: datetime
    source: str
    correlation_id: str
    causation_id: str | None
    data: FactJson


def show_fact(recorded: Recorded) -> FactResponse:
    """The fact with the values of environment variables hidden; their names stay."""
    return FactResponse(
        seq=recorded.seq,
        id=recorded.event_id,
        type=recorded.wire_type,
        aggregate=recorded.aggregate,
        aggregate_id=recorded.id,
        version=recorded.version,
        at=recorded.at,
        source=recorded.source,
        correlation_id=recorded.cause.correlation_id,
        causation_id=recorded.cause.causation_id,
        data=without_values(_plain(recorded.fact)),
    )


def _plain(fact: Fact) -> Any:
    match fact:
        case ForeignFact(said=stated, why=why):
            return {"does_not_count": why, "said": _plain(stated)}
        case BrokenFact(reason=reason, body=body):
            return {"unreadable": reason, "size_bytes": len(body)}
        case UnknownFact(body=body):
            try:
                value = msgspec.json.decode(body)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                value = None
            return value if isinstance(value, dict) and not fault_of(value) else {"unreadable": "it is no JSON object"}
        case _:
            return msgspec.to_builtins(fact)

"""Spans as OTLP has them in JSON. Pure.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp, and `trace.proto` for the names
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from fastflow_gateway.core.run_trace import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTERNAL = 1
_OK, _ERROR = 1, 2


def encode(spans: Sequence[Span], *, service: str) -> bytes:
    """The body of one export."""
    scope = {"scope": {"name": "fastflow"}, "spans": [_span(span) for span in spans]}
    resource = {"attributes": _attributes({"service.name": service})}
    return msgspec.json.encode({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]})


def _span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.place.trace,
        "spanId": span.place.span,
        **({"parentSpanId": span.parent} if span.parent else {}),
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": _nanoseconds(span.since),
        "endTimeUnixNano": _nanoseconds(span.until),
        "attributes": _attributes(span.attributes),
        "links": [{"traceId": link.trace, "spanId": link.span} for link in span.links],
        "status": {"code": _ERROR, "message": span.failed} if span.failed else {"code": _OK},
    }


def _attributes(values: dict[str, str | int] | dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]


def _nanoseconds(at: datetime) -> str:
    """A number of 64 bits is a text in JSON."""
    return str((at - _EPOCH) // timedelta(microseconds=1) * 1000)

"""The trace that a caller has begun, as W3C's trace context names it. Pure.

Source: https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re

HEADER = "traceparent"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def read_traceparent(text: str | None) -> str | None:
    """The header as it is, or None where it names no trace."""
    return text if text and _TRACEPARENT.fullmatch(text) else None

"""From bytes to JSON, without ever raising."""

import msgspec
from fastflow_events.plain import MAX_DEPTH, fault_of, is_too_deep

from fastflow_rules.definition.problem import At, Report

MAX_BYTES = 256 * 1024
"""A longer file is not even read."""
_BOM = b"\xef\xbb\xbf"


def read_json(raw: bytes, report: Report) -> object:
    """Return the value, or the problem that was noted."""
    at = At(report)
    if len(raw) > MAX_BYTES:
        return at.refuse_as(f"a file of {len(raw)} bytes", f"at most {MAX_BYTES} bytes")
    if is_too_deep(raw):
        return at.refuse_as("objects nested too deeply", f"at most {MAX_DEPTH} within each other")
    try:
        value = msgspec.json.decode(raw.removeprefix(_BOM))
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as exc:
        return at.refuse_as(f"no JSON: {exc}", "a JSON object")
    if fault := fault_of(value):
        return at.refuse_as(fault, "what every reader of JSON takes")
    return value

"""From bytes to JSON, without ever raising."""

import json

import msgspec
from fastflow_events.plain import MAX_DEPTH, fault_of, is_too_deep

from fastflow_rules.definition.problem import At, Report, brief

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
        repeated = _repeated(raw.removeprefix(_BOM))
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as exc:
        return at.refuse_as(f"no JSON: {exc}", "a JSON object")
    if fault := fault_of(value):
        return at.refuse_as(fault, "what every reader of JSON takes")
    for name in repeated:
        at.warn(f"{brief(name)} is given twice in one object; the last one counts")
    return value


def _repeated(raw: bytes) -> list[str]:
    """Names that one object gives more than once, each once, in the order of the file."""
    found: dict[str, None] = {}

    def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                found[name] = None
            seen.add(name)
        return dict(pairs)

    json.loads(raw, object_pairs_hook=note)
    return list(found)

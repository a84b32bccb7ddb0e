"""From bytes to JSON, without ever raising."""

import json

import msgspec
from fastflow_events.plain import MAX_DEPTH, fault_of, is_too_deep

from fastflow_rules.definition.allowed import AJsonObject, BytesUpTo, DepthUpTo, EveryReader
from fastflow_rules.definition.found import FileOf, NestedTooDeeply, NoJson, brief
from fastflow_rules.definition.problem import At, Report
from fastflow_rules.definition.remarks import GivenTwice

MAX_BYTES = 256 * 1024
"""A longer file is not even read."""
_BOM = b"\xef\xbb\xbf"


def read_json(raw: bytes, report: Report) -> object:
    """Return the value, or the problem that was noted."""
    at = At(report)
    if len(raw) > MAX_BYTES:
        return at.refuse_as(FileOf(len(raw)), BytesUpTo(MAX_BYTES))
    if is_too_deep(raw):
        return at.refuse_as(NestedTooDeeply(), DepthUpTo(MAX_DEPTH))
    try:
        value = msgspec.json.decode(raw.removeprefix(_BOM))
        repeated = _repeated(raw.removeprefix(_BOM))
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as exc:
        return at.refuse_as(NoJson(str(exc)), AJsonObject())
    if fault := fault_of(value):
        return at.refuse_as(fault, EveryReader())
    for name in repeated:
        at.warn(GivenTwice(brief(name)))
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

"""Where its runs may connect, as `pipeline.json` says it."""

from typing import Literal, TypeAlias

from fastflow_rules.definition import allowed as allow
from fastflow_rules.definition.kinds import Kind
from fastflow_rules.definition.problem import At, Problem
from fastflow_rules.network import DNS, MAX_TARGETS, NoTargetError, target

Network: TypeAlias = Literal["none", "internet"] | tuple[str, ...]


def network() -> Kind[Network]:
    """One of two words, or targets in the form that everybody means by them."""

    def read(value: object, at: At) -> Network | Problem:
        match value.strip().lower() if isinstance(value, str) else value:
            case "none":
                return "none"
            case "internet":
                return "internet"
            case list(items) if 0 < len(items) <= MAX_TARGETS:
                found = [_target(item, at.item(index)) for index, item in enumerate(items)]
                return tuple(dict.fromkeys(item for item in found if not isinstance(item, Problem)))
            case _:
                return at.refuse(value, allow.Network(MAX_TARGETS))

    items = {"type": "string", "maxLength": 100}
    schema = {
        "anyOf": [
            {"enum": ["none", "internet"]},
            {"type": "array", "items": items, "minItems": 1, "maxItems": MAX_TARGETS},
        ],
        "examples": ["none", ["10.0.0.5:5432", "[2001:db8::/32]:443", DNS]],
    }
    return Kind(read, schema)


def _target(value: object, at: At) -> str | Problem:
    if value == DNS:
        return DNS
    try:
        return str(target(value)) if isinstance(value, str) else at.refuse(value, allow.TargetText())
    except NoTargetError as exc:
        return at.refuse(value, exc.statement)

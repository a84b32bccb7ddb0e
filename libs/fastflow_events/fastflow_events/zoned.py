"""Instants as facts carry them: with a zone, and such that everybody can say them in UTC. Pure."""

from datetime import datetime
from functools import cache
from typing import Any

from msgspec import Struct, inspect

from fastflow_events.instants import FIRST, LAST, in_utc

_NO_ZONE = "an instant without a zone"
_OUT_OF_RANGE = "an instant out of range"


def read_instant(text: str) -> datetime:
    """The instant a writer's clock showed, in UTC.

    Raises:
        ValueError: it has no zone, or nobody's clock has ever shown it.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(_NO_ZONE)
    utc = in_utc(at)
    if utc is None or not FIRST <= utc <= LAST:
        raise ValueError(_OUT_OF_RANGE)
    return utc


def fault_of(struct: Struct) -> str:
    """What is wrong with an instant in a struct or in one within it; empty when nothing is."""
    for name in _telling(type(struct)):
        if fault := _fault(getattr(struct, name)):
            return f"{name}: {fault}"
    return ""


def _fault(value: Any) -> str:
    match value:
        case datetime():
            if value.tzinfo is None:
                return _NO_ZONE
            return _OUT_OF_RANGE if in_utc(value) is None else ""
        case Struct():
            return fault_of(value)
        case tuple() | list():
            return next(filter(None, map(_fault, value)), "")
        case _:
            return ""


@cache
def _telling(struct: type[Struct]) -> tuple[str, ...]:
    """Fields that hold instants, or structs that do."""
    shape = inspect.type_info(struct)
    assert isinstance(shape, inspect.StructType)
    return tuple(field.name for field in shape.fields if _holds_instants(field.type))


def _holds_instants(shape: inspect.Type) -> bool:
    match shape:
        case inspect.DateTimeType():
            return True
        case inspect.UnionType(types=several):
            return any(map(_holds_instants, several))
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return _holds_instants(item)
        case inspect.TupleType(item_types=items):
            return any(map(_holds_instants, items))
        case inspect.StructType(fields=fields):
            return any(_holds_instants(field.type) for field in fields)
        case _:
            return False

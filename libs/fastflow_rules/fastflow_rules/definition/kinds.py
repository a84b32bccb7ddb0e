"""Readers of JSON values: each says what it accepts as JSON Schema, and reports instead of raising.

A reader that refuses returns the problem it reported; null stands for "not said" everywhere.
"""

import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import reduce
from typing import Any, Generic, TypeVar

from fastflow_events.message import Statement
from msgspec import Struct

from fastflow_rules.definition import allowed as allow
from fastflow_rules.definition.found import MAX_FOUND, brief
from fastflow_rules.definition.problem import At, Problem
from fastflow_rules.definition.remarks import UnknownMember, UnknownMemberLike

S = TypeVar("S")
T = TypeVar("T")


class Kind(Struct, Generic[T], frozen=True):
    """A kind of value: how it is read, and its JSON Schema."""

    read: Callable[[object, At], T | Problem]
    schema: dict[str, object]


class Field(Struct, frozen=True):
    """A member of an object: its kind, the name it gets, and what it means to its author."""

    kind: Kind[Any]
    name: str
    about: str
    required: Statement | None = None
    """What is said to be right where it is missing; None for what may be left out."""


def flag() -> Kind[bool]:
    """True or false, and nothing that merely looks like it."""

    def read(value: object, at: At) -> bool | Problem:
        return value if isinstance(value, bool) else at.refuse(value, allow.TrueOrFalse())

    return Kind(read, {"type": "boolean"})


def number(*, above: float | None = None, minimum: float = 0, maximum: float = 1e9) -> Kind[float]:
    """A finite number; `above` excludes its bound."""
    bounds = allow.NumberFrom(minimum, maximum)
    allowed = allow.NumberAbove(above) if above is not None else bounds

    def read(value: object, at: At) -> float | Problem:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            return at.refuse(value, allowed)
        fits = minimum <= value <= maximum and (above is None or value > above)
        return float(value) if fits else at.refuse(value, allowed)

    bound = {"exclusiveMinimum": above} if above is not None else {"minimum": minimum}
    return Kind(read, {"type": "number", **bound, "maximum": maximum})


def integer(*, minimum: int = 0, maximum: int = 1_000_000) -> Kind[int]:
    """A whole number."""

    def read(value: object, at: At) -> int | Problem:
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(whole, int) and not isinstance(whole, bool) and minimum <= whole <= maximum:
            return whole
        return at.refuse(value, allow.WholeNumberFrom(minimum, maximum))

    return Kind(read, {"type": "integer", "minimum": minimum, "maximum": maximum})


def text(*, blank: bool = True, max_length: int = 10_000) -> Kind[str]:
    """Text; surrounding white space is dropped."""

    def read(value: object, at: At) -> str | Problem:
        allowed = allow.TextUpTo(max_length) if blank else allow.WordsUpTo(max_length)
        if not isinstance(value, str) or len(value) > max_length or not (blank or value.strip()):
            return at.refuse(value, allowed)
        return value.strip()

    return Kind(read, {"type": "string", "maxLength": max_length, **({} if blank else {"pattern": r"\S"})})


def choice(*options: str) -> Kind[str]:
    """One of a few words, in any case."""
    words: list[Statement] = [allow.Option(brief(option)) for option in options]
    allowed = reduce(allow.Either, words)

    def read(value: object, at: At) -> str | Problem:
        word = value.strip().lower() if isinstance(value, str) else None
        return word if word in options else at.refuse(value, allowed)

    return Kind(read, {"enum": list(options)})


def scalar() -> Kind[str | int | float | bool]:
    """Text, a finite number, true or false: what a person writes for a single value."""

    def read(value: object, at: At) -> str | int | float | bool | Problem:
        finite = not isinstance(value, float) or math.isfinite(value)
        if isinstance(value, str | int | float) and finite and len(brief(value)) <= MAX_FOUND + 3:
            return value
        return at.refuse(value, allow.ScalarUpTo(MAX_FOUND))

    return Kind(read, {"type": ["string", "number", "boolean"]})


def either(short: Kind[S], expand: Callable[[S], T], long: Kind[T]) -> Kind[T]:
    """A short form, or the object it stands for."""

    def read(value: object, at: At) -> T | Problem:
        if isinstance(value, dict):
            return long.read(value, at)
        found = short.read(value, at)
        return found if isinstance(found, Problem) else expand(found)

    return Kind(read, {"anyOf": [short.schema, long.schema]})


def array(kind: Kind[T], *, max_items: int = 1000) -> Kind[tuple[T, ...]]:
    """A list of one kind of value; elements that are refused are left out."""

    def read(value: object, at: At) -> tuple[T, ...] | Problem:
        if not isinstance(value, list) or len(value) > max_items:
            return at.refuse(value, allow.ListUpTo(max_items))
        found = (kind.read(item, at.item(index)) for index, item in enumerate(value))
        return tuple(item for item in found if not isinstance(item, Problem))

    return Kind(read, {"type": "array", "items": kind.schema, "maxItems": max_items})


def mapping(kind: Kind[T], *, max_items: int = 1000) -> Kind[dict[str, T]]:
    """An object whose members have any names and one kind of value; members that are refused are left out."""

    def read(value: object, at: At) -> dict[str, T] | Problem:
        if not isinstance(value, dict) or len(value) > max_items:
            return at.refuse(value, allow.MembersUpTo(max_items))
        found = {key.strip(): kind.read(member, at.key(key)) for key, member in value.items()}
        return {key: member for key, member in found.items() if not isinstance(member, Problem)}

    return Kind(read, {"type": "object", "additionalProperties": kind.schema, "maxProperties": max_items})


def table(fields: Mapping[str, Field], build: Callable[[dict[str, Any], At], T]) -> Kind[T]:
    """An object with known members; an unknown one is a warning that names the closest known one."""

    def read(value: object, at: At) -> T | Problem:
        if not isinstance(value, dict):
            return at.refuse(value, allow.AnObject())
        found: dict[str, Any] = {}
        for key, member in value.items():
            if key not in fields:
                if not key.startswith("$"):
                    at.warn(_unknown(key, fields))
            elif member is not None:
                known = fields[key].kind.read(member, at.key(key))
                if not isinstance(known, Problem):
                    found[fields[key].name] = known
        lacking = {key: field.required for key, field in fields.items() if field.required and field.name not in found}
        for key, required in lacking.items():
            if value.get(key) is None:
                at.key(key).refuse(None, required)
        return at.report.problems[-1] if lacking else build(found, at)

    return Kind(read, object_schema(fields))


def object_schema(fields: Mapping[str, Field]) -> dict[str, object]:
    """The JSON Schema of an object with these members; unknown ones are allowed."""
    properties = {
        key: {"description": field.about, "anyOf": [field.kind.schema, {"type": "null"}]}
        if not field.required
        else {"description": field.about, **field.kind.schema}
        for key, field in fields.items()
    }
    required = [key for key, field in fields.items() if field.required]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _unknown(key: str, fields: Mapping[str, Field]) -> Statement:
    close = get_close_matches(key[:100], fields, n=1)
    return UnknownMemberLike(brief(key), brief(close[0])) if close else UnknownMember(brief(key))

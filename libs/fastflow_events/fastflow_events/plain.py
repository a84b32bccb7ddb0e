"""What plain JSON may look like that travels in a fact or comes in at a door. Pure.

Everybody who reads it walks through it: our own code, msgspec, SQLite. Each of them gives up at some depth, all of them
far behind the one that is allowed here.
"""

import math
import re
from typing import Any

from fastflow_events.message import Statement

MAX_DEPTH = 64
"""Objects and lists within each other, in what people and scripts hand in."""
MAX_BODY_DEPTH = 2 * MAX_DEPTH
"""The same in a stored fact, which wraps such a value in a few structs of ours."""
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*\\?(?:"|\Z)', re.DOTALL)
_NO_MARKS = bytes(set(range(256)) - set(b"{}[]"))
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_MAX_SAID = 4


def is_too_deep(body: bytes, most: int = MAX_DEPTH) -> bool:
    """Whether JSON text nests deeper than `most`, found without reading it recursively; usually two counts tell."""
    if body.count(b"{") + body.count(b"[") <= most:
        return False
    depth = 0
    for mark in _TEXT.sub(b"", body).translate(None, _NO_MARKS):
        depth += 1 if mark in b"{[" else -1
        if depth > most:
            return True
    return False


class NotFinite(Statement, frozen=True, tag="plain.not_finite"):
    """JSON has finite numbers only."""

    english = "it holds a number that JSON has no word for: {number}"
    number: str


class TooLong(Statement, frozen=True, tag="plain.too_long"):
    """Readers of JSON differ about such integers."""

    english = "it holds an integer of more than 64 bits, which begins with {digits}"
    digits: str


class TooDeep(Statement, frozen=True, tag="plain.too_deep"):
    """Some reader would give up."""

    english = "it is nested more than {most} deep"
    most: int


def fault_of(value: Any, most: int = MAX_DEPTH) -> Statement | None:
    """Why nobody should be given this value; None when everybody can read it."""
    level = [value]
    for _ in range(most + 1):
        below: list[Any] = []
        for each in level:
            match each:
                case dict():
                    below += each.values()
                case list() | tuple():
                    below += each
                case float() if not math.isfinite(each):
                    return NotFinite(str(each))
                case bool():
                    pass
                case int() if not _SMALLEST <= each <= _LARGEST:
                    return TooLong(_digits(each))
                case _:
                    pass
        if not below:
            return None
        level = below
    return TooDeep(most)


def _digits(number: int) -> str:
    """The first digits; the whole of it may be too long to be written."""
    shift = max(0, number.bit_length() - 64)
    return str(abs(number) >> shift)[:_MAX_SAID] if not shift else f"{number >> shift:x}"[:_MAX_SAID] + " in hex"

"""Which bytes a `Range` header wants (RFC 9110, 14): one range of them; several are answered with everything."""

import re
from typing import NamedTuple

from fastflow_events.errors import ContractError
from fastflow_events.message import Statement

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class NothingThere(Statement, frozen=True, tag="fault.nothing_there"):
    """Of a file."""

    english = "nothing of that range is there: it has {size} bytes"
    size: int


class RangeError(ContractError):
    """Nothing of the range that is asked for is there."""

    code = "range-not-satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(NothingThere(size), size=size)


class ByteRange(NamedTuple):
    """From the first byte to just before the last."""

    begin: int
    end: int

    def said(self, size: int) -> str:
        """The header `Content-Range`."""
        return f"bytes {self.begin}-{self.end - 1}/{size}"


def range_of(header: str | None, size: int) -> ByteRange | None:
    """What is wanted of so many bytes; None for all of them, an empty one where nothing there is wanted."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return ByteRange(max(size - int(found[2]), 0), size)
    begin, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if last < begin and found[2]:
        return None  # no range at all
    return ByteRange(min(begin, size), max(min(last + 1, size), min(begin, size)))

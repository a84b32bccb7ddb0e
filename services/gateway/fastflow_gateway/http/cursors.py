"""Positions and instants as they come in, in addresses and headers: read strictly, and held where one can compute."""

import re
from datetime import datetime
from typing import Annotated, TypeAlias

from fastflow_events.instants import held
from litestar.params import QueryParameter

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.faults import AnInstant, NoCursor

LAST_POSITION = 2**63 - 1
"""No stream holds more."""
Instant: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        description="RFC 3339; UTC where it names no offset. What lies outside of 1970 to 8999 is just outside.",
        schema_extra={"format": "date-time"},
    ),
]
PositionCursor: TypeAlias = Annotated[
    str | None,
    QueryParameter(description="What `next` of a page said.", schema_extra={"pattern": r"^[0-9]{1,18}$(?!\n)"}),
]
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9:.,]{2,20}(?:[Zz]|[ +-][0-9:]{2,8})?)?", re.ASCII)


def instant_of(name: str, text: str | None) -> datetime | None:
    """The instant, UTC; None where nobody named one. A plus sign may have become the blank that it means in addresses.

    Raises:
        InvalidParameterError: it is none.
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text[:11] + text[11:].replace(" ", "+")) if _INSTANT.fullmatch(text) else None
    except ValueError:
        at = None
    if at is None:
        raise InvalidParameterError(AnInstant(name), parameter=name, given=text[:40])
    return held(at)


def position_of(text: str | None) -> int | None:
    """The position; None where nobody named one.

    Raises:
        InvalidParameterError: it is no cursor of ours.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LAST_POSITION):
        raise InvalidParameterError(NoCursor(), cursor=text[:40])
    return int(text)

"""How far somebody is with everything that one live stream tells him, as one text."""

import re

from msgspec import Struct

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.faults import LivePlace
from fastflow_gateway.core.live.frames import Place, id_of

PARTS = {"c": "changes", "l": "lines", "s": "samples", "n": "cells"}
_LINES = r"l(?P<l>[0-9]{1,9}\.[0-9]{1,15}(?:\.[0-9]{1,9})?)"
_WHOLE = re.compile(
    rf"(?:(?:c(?P<c>[0-9]{{1,18}})|{_LINES}|s(?P<s>[0-9]{{1,18}})|n(?P<n>[0-9]{{1,18}}))(?:,(?!\Z)|\Z))+"
)


class LivePosition(Struct, frozen=True):
    """A place in each of the streams; None where nothing is known of one."""

    changes: Place | None = None
    lines: Place | None = None
    samples: Place | None = None
    cells: Place | None = None

    def __str__(self) -> str:
        return text_of({name: place for name in PARTS.values() if (place := getattr(self, name)) is not None}).decode()


def text_of(places: dict[str, Place]) -> bytes:
    """`c120,l1.45,s88,n119`: what is not followed is left out."""
    shown = [
        (letter, places[name][:1] if name == "changes" else places[name])
        for letter, name in PARTS.items()
        if name in places
    ]
    return b",".join(letter.encode() + id_of(place) for letter, place in shown)


def live_position_of(text: str) -> LivePosition:
    """Read it.

    Raises:
        InvalidParameterError: it is none of ours.
    """
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise InvalidParameterError(LivePlace(), given=text[:40])
    return LivePosition(
        **{name: _place(value, name) for letter, name in PARTS.items() if (value := found[letter]) is not None}
    )


def _place(value: str, name: str) -> Place:
    numbers = tuple(int(number) for number in value.split("."))
    return (*numbers, 0) if name == "lines" and len(numbers) == 2 else numbers

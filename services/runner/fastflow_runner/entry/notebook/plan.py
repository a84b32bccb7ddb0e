"""Which cells of a notebook are executed, and how often each may be tried; pure."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

DELAY_S = 1.0


class UnusableError(Exception):
    """The notebook cannot be executed; the argument is a sentence that says why."""


class CodeCell(NamedTuple):
    """One code cell; markdown and raw cells are not counted."""

    place: int
    """Among all cells, counting from 0."""
    number: int
    """Among the code cells, counting from 1, as people do."""
    tries: int
    delay_s: float


def planned(cells: Sequence[Mapping[str, Any]], settings: Sequence[Sequence[float]]) -> list[CodeCell]:
    """The code cells with their tries: `settings` are retries and delay of each, which a cell's own metadata override.

    Raises:
        UnusableError: a cell says something about itself that cannot be.
    """
    places = [place for place, cell in enumerate(cells) if cell.get("cell_type") == "code"]
    found = []
    for number, place in enumerate(places, start=1):
        retries, delay_s = settings[number - 1] if number <= len(settings) else (0, DELAY_S)
        own = _own(cells[place], number)
        retries = retries if own.get("retries") is None else own["retries"]
        delay_s = delay_s if own.get("delay_seconds") is None else own["delay_seconds"]
        retries = int(retries) if isinstance(retries, float) and retries.is_integer() else retries
        if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
            raise UnusableError(f"code cell {number}: its metadata say retries {retries!r}, which is no whole number")
        if isinstance(delay_s, bool) or not isinstance(delay_s, int | float) or not 0 <= delay_s < math.inf:
            raise UnusableError(f"code cell {number}: its metadata say delay_seconds {delay_s!r}, which is no number")
        found.append(CodeCell(place=place, number=number, tries=retries + 1, delay_s=delay_s))
    return found


def _own(cell: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    metadata = cell.get("metadata", {})
    own = (metadata.get("fastflow") if isinstance(metadata, Mapping) else None) or {}
    if not isinstance(own, Mapping):
        raise UnusableError(f"code cell {number}: fastflow in its metadata is {json.dumps(own)}, and no object")
    return own


def is_python(notebook: Mapping[str, Any]) -> bool:
    """False when the notebook says that it is written in another language."""
    metadata = notebook.get("metadata", {})
    named = [metadata.get("kernelspec", {}).get("language"), metadata.get("language_info", {}).get("name")]
    languages = [language.lower() for language in named if isinstance(language, str) and language]
    return all(language in {"python", "ipython"} for language in languages)

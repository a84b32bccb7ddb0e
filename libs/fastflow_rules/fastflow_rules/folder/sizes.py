"""How much a folder may hold; pure. What it costs to unpack and to run it is bounded by what it says here."""

from collections.abc import Sequence

from fastflow_events.message import Statement

from fastflow_rules.folder.entries import Entry
from fastflow_rules.folder.reasons import TooLarge, TooManyFiles

MAX_FILES = 20_000
MAX_BYTES = 500_000_000
"""Of all files together, unpacked: zeros take next to nothing in Git."""
MAX_INCLUDED_BYTES = 20_000_000
"""Of the files that requirements include, together."""
TOO_MANY = TooManyFiles(MAX_FILES)
TOO_LARGE = TooLarge(MAX_BYTES // 1_000_000)


def too_large(entries: Sequence[Entry]) -> list[Statement]:
    """Why a folder with these files is too large."""
    total = sum(entry.size for entry in entries if not entry.is_submodule)
    return [*([TOO_MANY] if len(entries) > MAX_FILES else []), *([TOO_LARGE] if total > MAX_BYTES else [])]


def within(entries: Sequence[Entry], names: set[str]) -> set[str]:
    """The first of the named files that may be read together."""
    found, left = set(), MAX_INCLUDED_BYTES
    for entry in entries:
        if entry.path in names and entry.size <= left:
            left -= entry.size
            found.add(entry.path)
    return found

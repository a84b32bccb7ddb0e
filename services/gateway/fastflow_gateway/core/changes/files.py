"""How the files of two folders differ; pure."""

import difflib
from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

MOST_FILES = 200
"""Named; the others are counted."""
_MOST_DIFFS = 20
_MOST_DIFF_CHARS = 100_000
"""Of all diffs together."""
_MOST_LINES = 2000
"""Of a file that is compared line by line."""
FileKind: TypeAlias = Literal["added", "removed", "changed"]


class Content(Struct, frozen=True, kw_only=True):
    """One file of a bundle."""

    kind: Literal["file", "executable", "link"]
    size: int
    digest: bytes
    """Of its bytes, or of where a link leads."""
    text: str | None
    """Null for what is not text, or too long to be compared line by line."""


class FileChange(Struct, frozen=True, kw_only=True):
    """A file that is not the same."""

    path: str
    change: FileKind
    before_bytes: int | None
    after_bytes: int | None
    added_lines: int | None
    """Null, like the following, where the file was not compared line by line."""
    removed_lines: int | None
    diff: str | None
    """A unified diff."""


def files_between(before: Mapping[str, Content], after: Mapping[str, Content]) -> list[FileChange]:
    """What differs, by path; contents line by line as long as there is room."""
    found: list[FileChange] = []
    room, diffs = _MOST_DIFF_CHARS, _MOST_DIFFS
    for path in sorted({*before, *after}):
        was, now = before.get(path), after.get(path)
        if was and now and (was.kind, was.digest) == (now.kind, now.digest):
            continue
        change = _change(path, was, now, with_diff=diffs > 0 and len(found) < MOST_FILES)
        if change.diff is not None:
            diffs -= 1
            room -= len(change.diff)
            change = change if room >= 0 else _without_diff(change)
        found.append(change)
    return found


def _change(path: str, was: Content | None, now: Content | None, *, with_diff: bool) -> FileChange:
    lines = _lines(was, now) if with_diff else None
    diff = None
    added = removed = None
    if lines is not None:
        compared = [*difflib.unified_diff(*lines, f"a/{path}", f"b/{path}", lineterm="")]
        added = sum(line.startswith("+") for line in compared[2:])
        removed = sum(line.startswith("-") for line in compared[2:])
        diff = "\n".join(compared)
    return FileChange(
        path=path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        change="added" if was is None else "removed" if now is None else "changed",
        before_bytes=was.size if was else None,
        after_bytes=now.size if now else None,
        added_lines=added,
        removed_lines=removed,
        diff=diff,
    )


def _without_diff(change: FileChange) -> FileChange:
    return FileChange(
        path=change.path,
        change=change.change,
        before_bytes=change.before_bytes,
        after_bytes=change.after_bytes,
        added_lines=change.added_lines,
        removed_lines=change.removed_lines,
        diff=None,
    )


def _lines(was: Content | None, now: Content | None) -> tuple[list[str], list[str]] | None:
    if (was and was.text is None) or (now and now.text is None):
        return None
    before, after = ((each.text or "").split("\n") if each else [] for each in (was, now))
    return (before, after) if max(len(before), len(after)) <= _MOST_LINES else None

"""What commits changed of a folder, read from what Git prints. Pure."""

from typing import Any, NamedTuple

import msgspec

BEFORE_COMMIT = "\x01"
"""No path that Git prints has it: it quotes them."""


class Touched(NamedTuple):
    """A commit and the paths it changed."""

    commit: str
    paths: tuple[str, ...]


def read_log(printed: str, *, within: str) -> list[Touched]:
    """Read `git log --name-only --format=%x01%H`; paths are told as they are inside of the folder `within`."""
    found = []
    for chunk in printed.split(BEFORE_COMMIT)[1:]:
        commit, *lines = chunk.split("\n")
        found.append(Touched(commit.strip(), tuple(line.removeprefix(f"{within}/") for line in lines if line)))
    return found


def changed_members(before: bytes | None, after: bytes | None) -> tuple[str, ...]:
    """Names of the members that differ between two definitions; None is a folder without one."""
    old, new = _members(before), _members(after)
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name, _GONE) != new.get(name, _GONE)))


_GONE = object()


def _members(content: bytes | None) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(content) if content else {}
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

"""Which files of a folder a pattern names; a link leads nowhere, not even back into the folder.

What `glob` of the standard library matches, and what it does not: `*`, `?` and `[…]` within a name, `**` for any number
of folders; a name that begins with a dot only where the pattern says the dot. It follows links, so it is not used.
"""

import os
from collections.abc import Iterator

MOST = 10_000
"""Files, and folders, looked at by each pattern."""
_MAGIC = frozenset("*?[")


def matching(pattern: str, below: str) -> Iterator[str]:
    """Paths below `below`, up to a limit, that match and are no folders; each of them may come more than once."""
    steps: list[str] = []
    for step in pattern.split("/"):
        if step != "." and (step != "**" or steps[-1:] != ["**"]):
            steps.append(step)
    if not pattern.startswith("/") and ".." not in steps and steps and all(steps) and _is_folder(below):
        for _, path in zip(range(MOST), _expanded(below, "", steps), strict=False):
            yield path


def _expanded(below: str, base: str, steps: list[str]) -> Iterator[str]:
    """What the steps of a pattern lead to from `base`, which is a folder below `below`, or empty."""
    step, rest = steps[0], steps[1:]
    if step == "**":
        for folder in _folders(below, base):
            yield from _expanded(below, folder, rest or ["*"])
        return
    for name in _named(_at(below, base), step):
        path = f"{base}/{name}" if base else name
        if not rest:
            if os.path.lexists(f"{below}/{path}") and not _is_folder(f"{below}/{path}"):
                yield path
        elif _is_folder(f"{below}/{path}"):
            yield from _expanded(below, path, rest)


def _folders(below: str, base: str) -> Iterator[str]:
    """The folder itself and every one in it, up to a limit; those whose names begin with a dot are not entered."""
    waiting = [base]
    for _ in range(MOST):
        if not waiting:
            return
        folder = waiting.pop()
        yield folder
        names = [name for name in _names(_at(below, folder)) if not name.startswith(".")]
        paths = [f"{folder}/{name}" if folder else name for name in names]
        waiting += [path for path in paths if _is_folder(f"{below}/{path}")]


def _named(folder: str, step: str) -> list[str]:
    if not _MAGIC.intersection(step):
        return [step]
    # Imported here: most scripts have no patterns, and it costs start-up time.
    from fnmatch import filter as fitting  # noqa: PLC0415

    hidden = step.startswith(".")
    return fitting([name for name in _names(folder) if hidden or not name.startswith(".")], step)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []


def _at(below: str, base: str) -> str:
    return f"{below}/{base}" if base else below


def _is_folder(path: str) -> bool:
    """True for a folder, and not for a link to one."""
    return os.path.isdir(path) and not os.path.islink(path)  # noqa: PTH112, PTH114

"""Which paths of a Git tree are safe to lay down in a folder; pure.

A Git tree may hold any bytes as a name, any text as the target of a link, and the same name twice.
"""

from collections.abc import Iterable, Mapping

from fastflow_events.message import Statement

from fastflow_rules.folder.reasons import FileAndFolder, LinkOut, LongPath, NoPath, PathTwice

MAX_PATH_BYTES = 3000
MAX_NAME_BYTES = 255
MAX_HOPS = 40
"""As Linux has it; more is a circle."""


def unsafe_names(paths: Iterable[str]) -> list[Statement]:
    """One reason for each path that must not be laid down."""
    seen: set[str] = set()
    folders: set[str] = set()
    reasons: list[Statement] = []
    for path in paths:
        parts = path.split("/")
        if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
            reasons.append(NoPath(shown(path)))
        elif any(len(_bytes(part)) > MAX_NAME_BYTES for part in parts) or len(_bytes(path)) > MAX_PATH_BYTES:
            reasons.append(LongPath(shown(path)))
        elif path in seen:
            reasons.append(PathTwice(shown(path)))
        seen.add(path)
        folders.update("/".join(parts[:n]) for n in range(1, len(parts)))
    reasons += [FileAndFolder(shown(path)) for path in sorted(seen & folders)]
    return reasons


def unsafe_links(links: Mapping[str, str]) -> list[Statement]:
    """One reason for each symbolic link that leads out of the folder or in circles."""
    return [LinkOut(shown(path), shown(target)) for path, target in sorted(links.items()) if leaves(path, links)]


def leaves(path: str, links: Mapping[str, str]) -> bool:
    """True when following `path` as an operating system would leaves the folder, or never ends."""
    todo = path.split("/")[::-1]
    here: list[str] = []
    hops = 0
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not here:
                return True
            here.pop()
            continue
        here.append(part)
        target = links.get("/".join(here))
        if target is not None:
            hops += 1
            if hops > MAX_HOPS or target.startswith("/") or not target or "\0" in target:
                return True
            here.pop()
            todo.extend(reversed(target.split("/")))
    return False


def shown(text: str) -> str:
    """The text in quotation marks, printable and short."""
    printable = text if text.isprintable() else text.encode("unicode_escape", "surrogatepass").decode("ascii")
    return f'"{printable[:120]}{"…" if len(printable) > 120 else ""}"'


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

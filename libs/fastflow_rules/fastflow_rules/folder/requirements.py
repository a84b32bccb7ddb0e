"""Where a pipeline's packages come from; pure.

The block inside `main.py` (PEP 723, with its own `main.py.lock` if there is one) wins over `uv.lock` (with its
`pyproject.toml`), that over `requirements.txt.lock`, and that over `requirements.txt`. A `-r other.txt` inside the
folder is written out, so that the hash covers it; it covers whatever else they lean on there, too.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from fastflow_events.aggregates.run.specification import Requirements

from fastflow_rules.folder import leaning
from fastflow_rules.folder.entries import Entry
from fastflow_rules.folder.leaning import toml

INLINE_BYTES = 16 * 1024
"""Texts that take more in a fact stay in the bundle; only their hash travels."""
MAX_INCLUDES = 50
FILES = (
    *("requirements.txt.lock", "requirements.txt", "uv.lock", "pyproject.toml", "main.py"),
    *("main.py.lock", "uv.toml"),
)
_INCLUDE = re.compile(r"\s*(?:-r|--requirement)(?:\s+|=|(?=\S))(\S+)\s*(?:#.*)?")
_CONSTRAINT = re.compile(r"\s*(?:-c|--constraint)(?:\s+|=|(?=\S))(\S+)\s*(?:#.*)?")
_SPECIFIER = re.compile(r"[<>=!~][<>=!~0-9.,* ]{0,49}")
_BLOCK_START = "# /// script"
_BLOCK_END = "# ///"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What names the packages, and what it leans on."""

    source: Literal["none", "pep723", "script_lock", "uv_lock", "requirements_lock", "requirements"] = "none"
    file: str = ""
    text: str = ""
    paths: tuple[str, ...] = ()
    """In the folder, as they are written."""


def named(files: Mapping[str, str]) -> Named:
    """What names the packages of a folder, given the text of its files by path."""
    block = script_block(files.get("main.py", ""))
    if block and _block_names_packages(block):
        if lock := files.get("main.py.lock"):
            return Named(
                source="script_lock", file="main.py.lock", text=lock, paths=("main.py", *leaning.of_lock(lock))
            )
        paths = (*leaning.of_block(toml(_block_text(block)) or {}), *_settings(files))
        return Named(source="pep723", file="the block", text=block, paths=paths)
    if (uv_lock := files.get("uv.lock")) and "pyproject.toml" in files:
        paths = ("pyproject.toml", *leaning.of_lock(uv_lock))
        return Named(source="uv_lock", file="uv.lock", text=uv_lock, paths=paths)
    if (lock := files.get("requirements.txt.lock")) and _names_packages(lock):
        paths = (*leaning.of_requirements(lock), *_settings(files))
        return Named(source="requirements_lock", file="requirements.txt.lock", text=lock, paths=paths)
    text = "".join(_expanded("requirements.txt", files)) if "requirements.txt" in files else ""
    if not _names_packages(text):
        return Named()
    paths = (*leaning.of_requirements(text), *_settings(files))
    return Named(source="requirements", file="requirements.txt", text=text, paths=paths)


def requirements(files: Mapping[str, str], entries: Sequence[Entry] = ()) -> Requirements:
    """Return the packages of a folder, given the text of its files by path, and all that is in it."""
    found = named(files)
    if found.source == "none":
        return Requirements()
    fits = len(msgspec.json.encode(found.text)) <= INLINE_BYTES
    digest = leaning.digest(found.text, found.paths, entries)
    return Requirements(source=found.source, text=found.text if fits else "", sha256=digest)


def _settings(files: Mapping[str, str]) -> Iterator[str]:
    """Files in which uv finds settings of its own."""
    if "uv.toml" in files:
        yield "uv.toml"
        yield from leaning.of_settings(toml(files["uv.toml"]) or {})
    elif uv := leaning.uv_of(toml(files.get("pyproject.toml", "")) or {}):
        yield "pyproject.toml"
        yield from leaning.of_settings({**uv, "sources": {}})


def requires_python(files: Mapping[str, str]) -> str | None:
    """What the folder itself says of its Python, such as `>=3.12`; None when it says nothing that can be read."""
    if block := script_block(files.get("main.py", "")):
        table = toml(_block_text(block)) or {}
    elif "uv.lock" in files:
        project = (toml(files.get("pyproject.toml", "")) or {}).get("project")
        table = project if isinstance(project, dict) else {}
    else:
        return None
    wanted = table.get("requires-python")
    return wanted if isinstance(wanted, str) and _SPECIFIER.fullmatch(wanted) else None


def included(files: Mapping[str, str]) -> set[str]:
    """Paths that files read so far refer to."""
    found: set[str] = set()
    for path, text in files.items():
        for line in text.splitlines():
            if path.endswith((".txt", ".in")) and (target := _target(line, path)):
                found.add(target)
    return found


def script_block(source: str) -> str:
    """Return the block of a script that names its packages, as it stands there, or an empty text.

    Source: https://packaging.python.org/en/latest/specifications/inline-script-metadata/
    """
    lines = source.removeprefix("\ufeff").splitlines()
    starts = [n for n, line in enumerate(lines) if line.rstrip() == _BLOCK_START]
    if len(starts) != 1:
        return ""
    end = None
    for n in range(starts[0] + 1, len(lines)):
        if not (lines[n] == "#" or lines[n].startswith("# ")):
            break
        if lines[n].rstrip() == _BLOCK_END:
            end = n
    return "\n".join(lines[starts[0] : end + 1]) + "\n" if end else ""


def _expanded(path: str, files: Mapping[str, str]) -> Iterator[str]:
    """Lines of a requirements file, with included files in the place of their `-r`, each once."""
    seen: set[str] = set()
    todo = [(path, iter(files[path].splitlines()))]
    while todo:
        current, lines = todo[-1]
        line = next(lines, None)
        if line is None:
            todo.pop()
            continue
        target = _target(line, current)
        if target is None or target not in files or len(seen) >= MAX_INCLUDES:
            yield f"{_of_root(line, current)}\n"
        elif target not in seen and target != path:
            seen.add(target)
            todo.append((target, iter(files[target].splitlines())))


def _of_root(line: str, path: str) -> str:
    """The line as it would stand in the folder itself: constraints are named from where their file lies."""
    match = _CONSTRAINT.fullmatch(line)
    if not match or "://" in match[1]:
        return line
    return f"-c {posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))}"


def _target(line: str, path: str) -> str | None:
    """The path inside the folder that a `-r` line of the file `path` names."""
    match = _INCLUDE.fullmatch(line)
    if not match or "://" in match[1]:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))


def _names_packages(text: str) -> bool:
    return any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())


def _block_names_packages(block: str) -> bool:
    metadata = toml(_block_text(block))
    return metadata is None or bool(metadata.get("dependencies"))  # uv says best what is wrong with it


def _block_text(block: str) -> str:
    return "\n".join(line[2:] for line in block.splitlines()[1:-1])

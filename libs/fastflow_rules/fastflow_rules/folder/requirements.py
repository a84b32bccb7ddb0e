"""Where a pipeline's packages come from; pure.

The block inside `main.py` (PEP 723) wins over `uv.lock` (with its `pyproject.toml`), that over
`requirements.txt.lock`, and that over `requirements.txt`. A `-r other.txt` inside the folder is written out, so that
the hash covers it.
"""

import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Literal

import msgspec
from fastflow_events.run.specification import Requirements

INLINE_BYTES = 16 * 1024
"""Texts that take more in a fact stay in the bundle; only their hash travels."""
MAX_INCLUDES = 50
FILES = ("requirements.txt.lock", "requirements.txt", "uv.lock", "pyproject.toml", "main.py")
_INCLUDE = re.compile(r"\s*(?:-r|--requirement)(?:\s+|=|(?=\S))(\S+)\s*(?:#.*)?")
_SPECIFIER = re.compile(r"[<>=!~][<>=!~0-9.,* ]{0,49}")
_BLOCK_START = "# /// script"
_BLOCK_END = "# ///"


def requirements(files: Mapping[str, str]) -> Requirements:
    """Return the packages of a folder, given the text of its files by path."""
    block = script_block(files.get("main.py", ""))
    if block and _block_names_packages(block):
        return _of("pep723", block)
    if (uv_lock := files.get("uv.lock")) and "pyproject.toml" in files:
        return _of("uv_lock", uv_lock)
    if (lock := files.get("requirements.txt.lock")) and _names_packages(lock):
        return _of("requirements_lock", lock)
    text = "".join(_expanded("requirements.txt", files)) if "requirements.txt" in files else ""
    return _of("requirements", text) if _names_packages(text) else Requirements()


def requires_python(files: Mapping[str, str]) -> str | None:
    """What the folder itself says of its Python, such as `>=3.12`; None when it says nothing that can be read."""
    if block := script_block(files.get("main.py", "")):
        said = _toml(_block_text(block)) or {}
    elif "uv.lock" in files:
        project = (_toml(files.get("pyproject.toml", "")) or {}).get("project")
        said = project if isinstance(project, dict) else {}
    else:
        return None
    wanted = said.get("requires-python")
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
    lines = source.splitlines()
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


def _of(source: Literal["pep723", "uv_lock", "requirements_lock", "requirements"], text: str) -> Requirements:
    fits = len(msgspec.json.encode(text)) <= INLINE_BYTES
    return Requirements(source=source, text=text if fits else "", sha256=sha256(text.encode()).hexdigest())


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
            yield f"{line}\n"
        elif target not in seen and target != path:
            seen.add(target)
            todo.append((target, iter(files[target].splitlines())))


def _target(line: str, path: str) -> str | None:
    """The path inside the folder that a `-r` line of the file `path` names."""
    match = _INCLUDE.fullmatch(line)
    if not match or "://" in match[1]:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))


def _names_packages(text: str) -> bool:
    return any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())


def _block_names_packages(block: str) -> bool:
    metadata = _toml(_block_text(block))
    return metadata is None or bool(metadata.get("dependencies"))  # uv says best what is wrong with it


def _block_text(block: str) -> str:
    return "\n".join(line[2:] for line in block.splitlines()[1:-1])


def _toml(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None

"""What is installed, as text: pinned requirements with hashes, or a `pylock.toml` (PEP 751), which names each file.

Requirements hold wherever the same packages are found. A `pylock.toml` is needed where packages come from places that
requirements cannot tell apart: an index for one package alone, another project's lock, a folder.

Source: https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

import json
import os
import re
import tomllib
from collections.abc import Sequence
from hashlib import file_digest
from typing import Any

from fastflow_runner.entry.folder import HERE, inside
from fastflow_runner.entry.requirements_text import has_packages, names_local
from fastflow_runner.entry.uv import RefusedError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_BLOCK = "[[packages]]"
_KEPT = re.compile(r"(name|version|marker|requires-python) = ")


def is_pylock(lock: str) -> bool:
    """True for a `pylock.toml`."""
    return lock.lstrip().startswith("lock-version")


def asks(lock: str) -> bool:
    """False when the lock asks for nothing."""
    return _BLOCK in lock.splitlines() if is_pylock(lock) else has_packages(lock)


def portable(lock: str, here: str, folder: str) -> str:
    """The lock without the names of folders that are gone tomorrow.

    Raises:
        RefusedError: it names something beside the pipeline's folder.
    """
    for place in dict.fromkeys((os.path.realpath(here), here, os.path.realpath(folder) if folder else "")):
        if place:
            lock = lock.replace(f"file://{place}/", f"file://{HERE}/").replace(f'path = "{place}/', 'path = "')
    outside = [path for path in _paths(lock) if not inside(folder or here, path)]
    if outside:
        raise RefusedError(f"packages may lie in the pipeline's own folder only; this one does not: {outside[0]}")
    return lock


def is_local(lock: str) -> bool:
    """True when something that the lock names lies in the pipeline's folder."""
    return bool(_paths(lock)) or (not is_pylock(lock) and names_local(lock))


def placed(lock: str, here: str) -> str:
    """The same lock for a folder that lies here."""
    return lock.replace(f"file://{HERE}/", f"file://{here}/")


def has_folders(lock: str) -> bool:
    """True when the lock names folders, of whose content it says nothing."""
    return is_pylock(lock) and any("directory" in package for package in _packages(lock))


def with_built(lock: str, built: Sequence[str]) -> str:
    """The lock, with each package that was built named by its wheel and that wheel's hash."""
    wheels = {normal(os.path.basename(path).partition("-")[0]): path for path in built}  # noqa: PTH119
    return _files_with_built(lock, wheels) if is_pylock(lock) else _lines_with_built(lock, wheels)


def _files_with_built(lock: str, wheels: dict[str, str]) -> str:
    head, *blocks = lock.split(f"\n{_BLOCK}\n")
    kept = [head]
    for block in blocks:
        package = tomllib.loads(f"{_BLOCK}\n{block}")["packages"][0]
        path = wheels.get(normal(package["name"]))
        version = os.path.basename(path or "").split("-")[1:2]  # noqa: PTH119
        # A builder may have built another version for its own needs.
        if path is None or [package.get("version", *version)] != version:
            kept.append(block)
            continue
        lines = [line for line in block.splitlines() if _KEPT.match(line)]
        file = f'{{ path = {json.dumps(path)}, hashes = {{ sha256 = "{_hash(path)}" }} }}'
        kept.append("\n".join([*lines, f"archive = {file}", ""]))
    return f"\n{_BLOCK}\n".join(kept)


def _lines_with_built(lock: str, wheels: dict[str, str]) -> str:
    kept: list[str] = []
    dropping = False
    for line in lock.splitlines():
        if not line.startswith((" ", "\t")):
            name = _NAME.match(line)
            path = wheels.get(normal(name[0])) if name else None
            dropping = path is not None
            if path is not None:
                marker = line.partition(" ; ")[2].rstrip(" \\")
                package = f"{name[0] if name else ''} @ file://{path}{f' ; {marker}' if marker else ''}"
                kept.append(f"{package} --hash=sha256:{_hash(path)}")
        if not dropping:
            kept.append(line)
    return "".join(f"{line}\n" for line in kept)


def _paths(lock: str) -> list[str]:
    """Every path that the lock names, relative to the folder where it can be."""
    if not is_pylock(lock):
        files = re.findall(r"(?:^|\s|@\s*)(?:git\+)?file:(\S+)", lock, re.MULTILINE)
        return [path for path in map(_plain, files) if path]
    found: list[str] = []
    for package in _packages(lock):
        wheels = package.get("wheels", [])
        for file in [package.get(kind, {}) for kind in ("archive", "directory", "vcs", "sdist")] + wheels:
            if "path" in file:
                found.append(str(file["path"]))
            url = str(file.get("url", "")).removeprefix("git+")
            if url.startswith("file:") and (path := _plain(url[5:])):
                found.append(path)
    return found


def _plain(path: str) -> str:
    path = path.removeprefix("//")
    return "." if path == HERE else path.removeprefix(f"{HERE}/")


def hashes(lock: str) -> dict[str, set[str]]:
    """The SHA-256 of every wheel that the lock allows, by package."""
    found: dict[str, set[str]] = {}
    if is_pylock(lock):
        for package in _packages(lock):
            files = [*package.get("wheels", ()), package.get("archive", {})]
            known = {each["hashes"]["sha256"] for each in files if "sha256" in each.get("hashes", {})}
            found.setdefault(normal(package["name"]), set()).update(known)
        return found
    name = ""
    for line in lock.splitlines():
        if not line.startswith((" ", "\t")) and (match := _NAME.match(line)):
            name = normal(match[0])
        if name:
            found.setdefault(name, set()).update(_SHA256.findall(line))
    return found


def _packages(lock: str) -> list[dict[str, Any]]:
    try:
        packages = tomllib.loads(lock).get("packages", [])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RefusedError(f"the lock cannot be read: {error}") from error
    return [package for package in packages if isinstance(package, dict)]


def _hash(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - os calls throughout
        return file_digest(file, "sha256").hexdigest()


def normal(name: str) -> str:
    """A package's name in the form in which all ways to write it are the same."""
    return re.sub(r"[-_.]+", "-", name).lower()

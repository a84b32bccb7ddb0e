"""Packages as a lock names them, and which of them somebody asked for. Pure."""

import re
import tomllib
from collections.abc import Iterator

from msgspec import Struct

_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?:==\s*(?P<version>[^\s;\\]+)|@\s*(?P<url>\S+))")
_NAME = re.compile(r"^\s*(?P<name>[A-Za-z0-9][\w.-]*)")
_BLOCK = re.compile(r"(?m)^# /// script\r?$\s(?P<content>(?:^#(?:| .*)\r?$\s)+)^# ///\r?$")


class Package(Struct, frozen=True, kw_only=True):
    """One package of an environment."""

    name: str
    version: str | None
    """Null for one that comes from an address."""
    direct: bool | None
    """Whether the pipeline asks for it itself; null where that cannot be told."""


def packages_of(lock: str, asked: frozenset[str] | None) -> list[Package]:
    """What a lock installs, by name; `asked` are the names that somebody asked for, None when nobody knows."""
    found = _of_toml(lock) if lock.startswith("lock-version") else _of_lines(lock)
    return sorted(
        (
            Package(name=name, version=version, direct=None if asked is None else normal(name) in asked)
            for name, version in dict.fromkeys(found)
        ),
        key=lambda package: normal(package.name),
    )


def asked_for(source: str, text: str) -> frozenset[str] | None:
    """Names that a file of requirements asks for; None where that is another question, or it cannot be read."""
    match source:
        case "requirements":
            lines = text.splitlines()
        case "pep723":
            lines = _dependencies(text)
        case "none":
            lines = []
        case _:
            return None
    named = (_NAME.match(line) for line in lines if not line.lstrip().startswith(("#", "-")))
    return frozenset(normal(found["name"]) for found in named if found)


def normal(name: str) -> str:
    """The name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _of_lines(lock: str) -> Iterator[tuple[str, str | None]]:
    for line in lock.splitlines():
        if found := _PINNED.match(line):
            yield found["name"], found["version"]


def _of_toml(lock: str) -> Iterator[tuple[str, str | None]]:
    try:
        packages = tomllib.loads(lock).get("packages", [])
    except tomllib.TOMLDecodeError:
        return
    for package in packages if isinstance(packages, list) else []:
        if isinstance(package, dict) and isinstance(name := package.get("name"), str):
            version = package.get("version")
            yield name, version if isinstance(version, str) else None


def _dependencies(text: str) -> list[str]:
    """Of a block in a script, or of what stands in it."""
    block = _BLOCK.search(text)
    if block:
        text = "".join(line[2:] if line.startswith("# ") else line[1:] for line in block["content"].splitlines(True))
    try:
        found = tomllib.loads(text).get("dependencies", [])
    except tomllib.TOMLDecodeError:
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []

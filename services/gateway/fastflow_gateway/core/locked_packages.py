"""Packages of a lock, and how two locks differ, package by package. Pure."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

_PINNED = re.compile(
    r"([A-Za-z0-9][\w.-]{0,200})(?:\[[^\]]{0,500}\])?\s{0,20}(?:===?\s{0,20}([^\s;\\]{1,300})|@\s{0,20}(\S{1,1000}))"
)


class PackageChange(Struct, frozen=True, kw_only=True):
    """A package that is not the same."""

    name: str
    was: str | None
    """Version, or address without credentials; null where it was not there."""
    now: str | None


def locked(lock: str) -> dict[str, str]:
    """Each package of a lock and its version, by the name as package indexes compare it."""
    found = _of_toml(lock) if lock.lstrip().startswith("lock-version") else _of_lines(lock)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def packages_between(before: Mapping[str, str], after: Mapping[str, str]) -> list[PackageChange]:
    """What differs, by name."""
    return [
        PackageChange(name=name, was=before.get(name), now=after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _of_lines(lock: str) -> Iterator[tuple[str, str]]:
    for line in lock.splitlines():
        if found := _PINNED.match(line):
            yield found[1], found[2] or _plain(found[3])


def _of_toml(lock: str) -> Iterator[tuple[str, str]]:
    try:
        packages = tomllib.loads(lock).get("packages", [])
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    for package in packages if isinstance(packages, list) else []:
        if isinstance(package, dict) and isinstance(name := package.get("name"), str):
            yield name, _version(package)


def _version(package: Mapping[str, Any]) -> str:
    if isinstance(version := package.get("version"), str):
        return version
    for kind in ("vcs", "archive", "directory"):
        if isinstance(source := package.get(kind), dict):
            place = source.get("url") or source.get("path") or ""
            return _plain(f"{place}@{source['commit-id']}" if "commit-id" in source else str(place))
    return ""


def _plain(address: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//", address)

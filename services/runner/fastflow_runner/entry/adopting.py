"""Trees that are there already: believed once every byte of them was looked at, or set aside and made again."""

import os
from contextlib import suppress
from shutil import rmtree

from fastflow_runner.entry.manifest import ChangedError, check, sealed

_ASIDE = "spoiled"


def adopted(tree: str, key: bytes, findings: list[str]) -> str:
    """Hash of the tree's manifest; empty when it is not there, or not any more: `findings` have why."""
    if not os.path.isdir(tree):  # noqa: PTH112 - os calls throughout, as in the rest of this program
        return ""
    try:
        digest = sealed(tree, key)
        check(tree, digest, whole=True)
    except ChangedError as error:
        findings.append(f"{tree}: {error}")
        set_aside(tree)
        return ""
    return digest


def adopted_environment(root: str, name: str, key: bytes, findings: list[str]) -> str:
    """The same of an environment, whose files may be those of uv's cache: where it has changed, that has, too."""
    before = len(findings)
    digest = adopted(f"{root}/envs/{name}", key, findings)
    if len(findings) > before:
        drop_cache(root)
    return digest


def drop_cache(root: str) -> None:
    """Have uv unpack wheels anew, from now on."""
    os.makedirs(f"{root}/aside", exist_ok=True)  # noqa: PTH103
    aside = f"{root}/aside/cache.{_ASIDE}"
    rmtree(aside, ignore_errors=True)
    with suppress(FileNotFoundError):
        os.rename(f"{root}/cache", aside)  # noqa: PTH104
        os.utime(aside)
    os.makedirs(f"{root}/cache", mode=0o700, exist_ok=True)  # noqa: PTH103


def set_aside(tree: str) -> None:
    """Keep it where nobody takes it for what it was, for who wants to know what has become of it.

    It has the same name each time, and a dot in that, as what was left half made has: it goes with that.
    """
    aside = f"{tree}.{_ASIDE}"
    rmtree(aside, ignore_errors=True)
    with suppress(FileNotFoundError):
        os.rename(tree, aside)  # noqa: PTH104
        os.utime(aside)

"""Mode `verify`: every byte of what lies there against what was sealed or is locked; nothing is changed."""

import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from typing import Any

from fastflow_runner.entry.answering import answered
from fastflow_runner.entry.manifest import ChangedError, check, hash_of, sealed
from fastflow_runner.entry.sealed import read_sealed

_ORDER_BYTES = 16 << 20
_LEFT = re.compile(r"\..*|.*\.(new|gone|spoiled|[0-9a-f]{16})")
"""What is half made, was half deleted, or was set aside."""


def verify(order: dict[str, Any]) -> dict[str, object]:
    """How many trees and wheels were looked at, and those that are not what they should be, each with sentences."""
    key, only = bytes.fromhex(order["key"]), order["only"]
    trees = list(_below(order["trees"], only))
    wheels = list(_below(order["wheels"], only))
    changed: dict[str, Sequence[str]] = {}
    for tree in trees:
        try:
            check(tree, sealed(tree, key), whole=True)
        except ChangedError as error:
            changed[tree] = error.args
    for folder in wheels:
        if differing := list(_other_wheels(folder)):
            changed[folder] = differing
    return {"trees": len(trees), "wheels": len(wheels), "changed": changed}


def _below(folders: Sequence[str], only: str) -> Iterator[str]:
    for folder in folders:
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else ()  # noqa: PTH112, PTH208 - os calls throughout
        for name in names:
            path = f"{folder}/{name}"
            if name.startswith(only) and not _LEFT.fullmatch(name) and stat.S_ISDIR(os.lstat(path).st_mode):
                yield path


def _other_wheels(folder: str) -> Iterator[str]:
    for name in sorted(os.listdir(folder)):  # noqa: PTH208
        if name.startswith("."):
            continue  # of what is compiled, which has a seal of its own
        try:
            digest = hash_of(f"{folder}/{name}")
        except OSError as error:
            yield f"{name} cannot be read: {error.strerror}"
        else:
            if digest != os.path.basename(folder):  # noqa: PTH119
                yield f"{name} has other content"


def main() -> int:
    """An exit code of `codes`."""
    return answered(lambda: verify(json.loads(read_sealed(0, _ORDER_BYTES))))

"""Folders that tests left behind when they were killed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path


def left_behind(prefix: str) -> Iterator[Path]:
    """Those that are called by a prefix, the process that made them, and a dash, and whose process is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        owner = folder.name.removeprefix(prefix).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            yield folder

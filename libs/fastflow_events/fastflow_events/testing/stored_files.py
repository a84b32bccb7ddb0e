"""What lies in folders that others may be writing to at this moment."""

import os
from collections.abc import Iterator
from pathlib import Path


def stored_files(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """Path and content of every file in them; what vanishes while one looks is left out, and no link is followed."""
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for path in (Path(parent) / name for name in names):
                try:
                    if path.is_file() and not path.is_symlink():
                        yield path, path.read_bytes()
                except FileNotFoundError:
                    continue

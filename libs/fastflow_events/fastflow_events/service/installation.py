"""The id of an installation: eight hex digits that tell it from others on the same engine. It is no secret."""

import secrets
from contextlib import suppress
from pathlib import Path

FILE_NAME = "installation"
"""Beside the keys."""


def id_of(folder: Path) -> str:
    """The id that the folder of keys holds; made once."""
    path = folder / FILE_NAME
    if not path.exists():
        partial = folder / f".{FILE_NAME}.{secrets.token_hex(8)}"
        partial.write_text(f"{secrets.token_hex(4)}\n")
        # Whoever links first decides; another that starts beside us takes the same.
        with suppress(FileExistsError):
            path.hardlink_to(partial)
        partial.unlink()
    return path.read_text().strip()

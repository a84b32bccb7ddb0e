"""Files that only their owner may read, whole on the disk before anybody sees them."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def make_once(path: Path, text: str) -> bool:
    """Make the file unless it is there; True when it was made. Safe side by side: whoever links first decides.

    Raises:
        OSError: it cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = _written(path, text)
    try:
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
            return True
        return False
    finally:
        temporary.unlink()


def replace(path: Path, text: str) -> None:
    """Put a new file in the place of the one that is there.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _written(path, text).replace(path)


def _written(path: Path, text: str) -> Path:
    """A complete file beside `path` that only its owner may read."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return temporary

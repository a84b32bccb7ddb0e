"""The key of tokens, and the token of whoever comes first, as files that only the gateway may read."""

import os
from pathlib import Path

from fastflow_events.errors import SettingsError
from fastflow_events.service.private_files import make_once, replace

KEY_BYTES = 32


def access_key(path: Path) -> bytes:
    """The key, made at the first start. Safe side by side: whoever links first decides.

    Raises:
        SettingsError: others may read it, it cannot be read or made, or holds something else.
    """
    try:
        if not path.exists():
            make_once(path, os.urandom(KEY_BYTES).hex() + "\n")
        mode, text = path.stat().st_mode, path.read_text()
        key = bytes.fromhex(text.strip())
    except (OSError, UnicodeDecodeError, ValueError) as exc:
        raise SettingsError(f"the access key in {path} cannot be used: {type(exc).__name__}") from None
    if mode & 0o077:
        raise SettingsError(f"others than its owner may read {path}; chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise SettingsError(f"{path} holds no access key: it has to be {KEY_BYTES} bytes in hex")
    return key


def leave_token(path: Path, text: str) -> None:
    """Put it where whoever has the machine finds it.

    Raises:
        SettingsError: it cannot be written.
    """
    try:
        replace(path, text + "\n")
    except OSError as exc:
        raise SettingsError(f"the token of the first admin cannot be left in {path}: {type(exc).__name__}") from None


def take_token(path: Path) -> None:
    """Remove it; it is worth nothing any more."""
    path.unlink(missing_ok=True)
